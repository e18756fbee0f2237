"""Answers token by token: pytest tests/local/training/test_generation.py"""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from runner.local.training.conversation import render_prompt
from runner.local.training.generation import ContextLengthError, Finish, Piece, generate
from runner.local.training.models import LoadedModel, load_model
from runner.local.training.sampling import Sampling
from tests.local.training.fakes import messages

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

QUESTIONS = ["환불은?", "hello", "짧은 질문 하나 더", "1234"]


@pytest.fixture(scope="module")
def tiny(one_thread: None) -> LoadedModel:
    """tiny-1 as it is made: every token is a surprise."""
    loaded = load_model("tiny-1", None, allow_network=False)
    loaded.model.eval()
    return loaded


def text_and_finish(loaded: LoadedModel, prompt: list[int], **sampling: Any) -> tuple[str, Finish]:
    *pieces, finish = generate(loaded, prompt, Sampling(**sampling))
    assert isinstance(finish, Finish)
    return "".join(piece.text for piece in pieces if isinstance(piece, Piece)), finish


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("model", ["tiny-1", "chat model"])
def test_greedy_answer_is_that_of_transformers(
    tiny: LoadedModel, chat_model: Path, model: str, question: str
) -> None:
    loaded = tiny if model == "tiny-1" else load_model(str(chat_model), None, allow_network=False)
    loaded.model.eval()
    prompt = render_prompt(loaded.tokenizer, messages(f"user: {question}"))
    input_ids = torch.tensor([prompt])
    expected = loaded.model.generate(
        input_ids, attention_mask=torch.ones_like(input_ids), do_sample=False, max_new_tokens=80
    )[0, len(prompt) :]
    text, finish = text_and_finish(loaded, prompt, temperature=0, max_tokens=80)

    assert loaded.tokenizer.decode(expected, skip_special_tokens=True).rstrip("\ufffd") == text
    assert sum(int(token) != loaded.tokenizer.eos_token_id for token in expected) == finish.completion_tokens


def test_same_seed_gives_the_same_answer(tiny: LoadedModel) -> None:
    prompt = render_prompt(tiny.tokenizer, messages("user: a"))
    answers = [
        text_and_finish(tiny, prompt, temperature=1.0, seed=seed, max_tokens=20)[0] for seed in (1, 1, 2)
    ]

    assert answers[0] == answers[1] != answers[2]


@pytest.mark.parametrize("sampling", [{"temperature": 1.0, "top_p": 0.0}, {"temperature": 1e-9}])
def test_narrowest_sampling_is_greedy(tiny: LoadedModel, sampling: dict[str, float]) -> None:
    prompt = render_prompt(tiny.tokenizer, messages("user: a"))
    greedy = text_and_finish(tiny, prompt, temperature=0, max_tokens=20)

    assert greedy == text_and_finish(tiny, prompt, max_tokens=20, **sampling)


def test_answer_ends_at_max_tokens(tiny: LoadedModel) -> None:
    prompt = render_prompt(tiny.tokenizer, messages("user: a"))
    _, finish = text_and_finish(tiny, prompt, temperature=0, max_tokens=3)

    assert Finish(reason="length", prompt_tokens=len(prompt), completion_tokens=3) == finish


def test_answer_ends_before_a_stop_string(tiny: LoadedModel) -> None:
    prompt = render_prompt(tiny.tokenizer, messages("user: a"))
    whole, _ = text_and_finish(tiny, prompt, temperature=0, max_tokens=30)
    stop = whole[10:13]
    text, finish = text_and_finish(tiny, prompt, temperature=0, max_tokens=30, stop=(stop,))

    assert (whole[: whole.index(stop)], "stop") == (text, finish.reason)


def test_answer_fills_the_context_and_no_more(tiny: LoadedModel) -> None:
    prompt = [5] * 2040
    _, finish = text_and_finish(tiny, prompt, temperature=0)

    assert Finish(reason="length", prompt_tokens=2040, completion_tokens=8) == finish


def test_prompt_that_fills_the_context_is_refused(tiny: LoadedModel) -> None:
    with pytest.raises(ContextLengthError) as caught:
        text_and_finish(tiny, [5] * 2048)

    limit = "This model's maximum context length is 2048 tokens."
    assert f"{limit} However, your messages resulted in 2048 tokens." == str(caught.value)
