"""tiny-1 is the same model everywhere: pytest tests/local/training/test_tiny_model.py"""

import hashlib
import json
from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from runner.local.training.tiny_model import ASSETS, CONTEXT_LENGTH, make_tiny_model
from scripts.make_tiny_tokenizer import CORPUS, SPECIAL_TOKENS, TOKENIZER, tokenizer_json, train_tokenizer

pytestmark = pytest.mark.torch

ADVERSARIAL = [
    "",
    " ",
    "\x00\x01\x7f",
    "👩‍👩‍👧‍👦 🇰🇷 ✍🏽",
    "\u1112\u1161\u11ab\u1100\u1173\u11af",  # 한글 in NFD
    "한글",
    "line\u2028paragraph\u2029next\u0085",
    "a\r\nb\n\n\tc  ",
    "\ufeff\ufffd\uffff\U0010ffff",
    "e\u0301 ﬁ Ⅳ ０１２",
    "  <|im_ end|> | <| |>",
    "\u202eright to left\u202c مرحبا",
]
# The version of tiny-1: these change only together with its name.
INITIAL_WEIGHTS_SHA256 = "fc39b1431afaced98668c2122d8013098f9452bec6ec1a72e63c1c77b92af712"
TOKENIZER_SHA256 = "62bfeea769948a9a5c9cfa348e0ccd304dca634c929e68cb67e6dd771296e6bf"


def weights_sha256(model: Any) -> str:
    digest = hashlib.sha256()
    for name, parameter in model.named_parameters():
        digest.update(name.encode())
        digest.update(parameter.detach().numpy().tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("text", ADVERSARIAL)
def test_any_text_survives_the_tokenizer(tiny_tokenizer: Any, text: str) -> None:
    ids = tiny_tokenizer(text, add_special_tokens=False)["input_ids"]

    assert text == tiny_tokenizer.decode(ids)


def test_vocabulary_covers_every_byte(tiny_tokenizer: Any) -> None:
    assert 2048 == len(tiny_tokenizer)
    assert list(SPECIAL_TOKENS) == tiny_tokenizer.convert_ids_to_tokens([0, 1, 2, 3])
    assert 256 == sum(len(token) == 1 for token in tiny_tokenizer.get_vocab())


def test_corpus_gives_the_committed_tokenizer() -> None:
    made = tokenizer_json(train_tokenizer(CORPUS.read_text(encoding="utf-8")))

    assert TOKENIZER.read_text(encoding="utf-8") == made


def test_files_of_this_version_are_unchanged() -> None:
    content = (ASSETS / "tokenizer.json").read_bytes()

    assert TOKENIZER_SHA256 == hashlib.sha256(content).hexdigest()
    assert len(content) < 300_000
    assert "BPE" == json.loads(content)["model"]["type"]


def test_initial_weights_of_this_version_are_unchanged(tiny_tokenizer: Any) -> None:
    """Neither torch's random state nor the machine has a say in them."""
    torch.manual_seed(1)
    first = weights_sha256(make_tiny_model(tiny_tokenizer))
    torch.manual_seed(2)
    second = weights_sha256(make_tiny_model(tiny_tokenizer))

    assert (INITIAL_WEIGHTS_SHA256, INITIAL_WEIGHTS_SHA256) == (first, second)


def test_shape_is_a_small_llama(tiny_tokenizer: Any) -> None:
    model = make_tiny_model(tiny_tokenizer)

    assert 656_000 == sum(parameter.numel() for parameter in model.parameters())
    assert CONTEXT_LENGTH == model.config.max_position_embeddings == tiny_tokenizer.model_max_length
    assert model.lm_head.weight is model.model.embed_tokens.weight
