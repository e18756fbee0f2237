"""Answers held to a schema: pytest tests/local/training/test_grammar.py"""

import json
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch (the extra `local`) is not installed")
pytest.importorskip("llguidance", reason="llguidance (the extra `structured`) is not installed")

from jsonschema import validate

from runner.local.training.conversation import render_prompt
from runner.local.training.generation import Finish, Piece, generate
from runner.local.training.grammar import InvalidSchemaError, make_grammar
from runner.local.training.models import LoadedModel, load_model
from runner.local.training.sampling import Sampling
from tests.local.training.fakes import messages

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

SCHEMA = {
    "type": "object",
    "properties": {
        "이름": {"enum": ["세무서", "홈택스"]},
        "n": {"type": "integer", "minimum": 0, "maximum": 99},
        "ok": {"type": "boolean"},
    },
    "required": ["이름", "n", "ok"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def tiny(one_thread: None) -> LoadedModel:
    """tiny-1, which by itself writes noise."""
    return load_model("tiny-1", None, allow_network=False)


def written(tiny: LoadedModel, schema: Any, **sampling: Any) -> tuple[str, Finish]:
    """What tiny-1 writes within a schema."""
    prompt = render_prompt(tiny.tokenizer, messages("user: a"))
    grammar = make_grammar(schema, tiny.tokenizer, tiny.model.config.vocab_size)
    chosen = Sampling(**sampling)
    *pieces, finish = generate(tiny, prompt, chosen, grammar=grammar)
    assert isinstance(finish, Finish)
    return "".join(piece.text for piece in pieces if isinstance(piece, Piece)), finish


@pytest.mark.parametrize("seed", range(5))
def test_noise_becomes_json_of_the_schema(tiny: LoadedModel, seed: int) -> None:
    """Whatever the weights say; the answer ends where the object does."""
    text, finish = written(tiny, SCHEMA, seed=seed)

    validate(json.loads(text), SCHEMA)
    assert finish.reason == "stop"


def test_an_answer_that_is_cut_says_so(tiny: LoadedModel) -> None:
    """Half an object is not complete."""
    text, finish = written(tiny, SCHEMA, seed=1, max_tokens=3)

    assert (finish.reason, finish.completion_tokens) == ("length", 3)
    assert text.startswith("{")


def test_probabilities_are_the_models_own(tiny: LoadedModel) -> None:
    """Not those within the schema, where the only possible token would be certain."""
    prompt = render_prompt(tiny.tokenizer, messages("user: a"))
    grammar = make_grammar(SCHEMA, tiny.tokenizer, tiny.model.config.vocab_size)
    sampling = Sampling(seed=1, max_tokens=2, top_logprobs=0)
    pieces = list(generate(tiny, prompt, sampling, grammar=grammar))
    first = next(token for piece in pieces if isinstance(piece, Piece) for token in piece.tokens)

    assert first.logprob is not None
    assert first.logprob < -0.01


@pytest.mark.parametrize("schema", [{"type": "strange"}, {"$ref": "#/nowhere"}])
def test_a_schema_that_cannot_be_kept_is_refused(tiny: LoadedModel, schema: Any) -> None:
    """Before anything is generated."""
    with pytest.raises(InvalidSchemaError):
        make_grammar(schema, tiny.tokenizer, tiny.model.config.vocab_size)
