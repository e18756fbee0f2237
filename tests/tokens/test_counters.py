"""Counters agree with the libraries and the trainer that they stand for."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.tokens.counters import EstimateCounter, ModelCounter, OpenAICounter, counter_from, counter_value
from runner.tokens.encodings import RANKS, encoding_of, find_ranks

TURNS = [
    ("system", "Category: 프로토콜"),
    ("user", "gRPC 채널 연결 관련 내용을 알려줘. 😀"),
    ("assistant", "50051번 포트에서 TLS를 켠 gRPC만 지원합니다.\n  }},{{ \u2028"),
]


@pytest.fixture(autouse=True)
def own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A counter is loaded in a process of its own, which it arranges as it needs it; here it is undone."""
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    before = {name: module for name, module in sys.modules.items() if name == "requests"}
    yield
    sys.modules.pop("requests", None)
    sys.modules.update(before)
    os.environ.pop("TIKTOKEN_CACHE_DIR", None)


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the ranks of both encodings, from an installed package."""
    pytest.importorskip("tiktoken", reason="tiktoken (the extra `tokens`) is not installed")
    pytest.importorskip("bpe_openai", reason="bpe-openai (the extra `tokens`) is not installed")
    folder = tmp_path_factory.mktemp("ranks")
    for encoding in RANKS.values():
        assert folder == find_ranks(encoding, folder, {})
    return folder


@pytest.mark.parametrize("encoding", RANKS)
def test_openais_encodings_count_as_tiktoken_does(ranks: Path, encoding: str) -> None:
    counter = OpenAICounter(encoding=encoding, folder=str(ranks))
    (weight,) = counter.load().weigh([TURNS])
    import tiktoken

    encode = tiktoken.get_encoding(encoding).encode_ordinary
    by_turn = tuple(len(encode(text)) for _, text in TURNS)
    roles = sum(len(encode(role)) for role, _ in TURNS)

    assert by_turn == weight.by_turn
    assert 3 * len(TURNS) + roles + sum(by_turn) + 3 == weight.n_tokens
    assert f"{encoding} chat-1" == counter.identity


def test_ranks_with_another_hash_are_no_ranks(ranks: Path, tmp_path: Path) -> None:
    """Neither a changed cache nor a changed package is used."""
    encoding = RANKS["cl100k_base"]
    (tmp_path / encoding.key).write_bytes((ranks / encoding.key).read_bytes() + b"x")
    found = find_ranks(encoding, tmp_path / "state", {"TIKTOKEN_CACHE_DIR": str(tmp_path)})

    assert tmp_path / "state" == found
    with pytest.raises(OSError, match="the ranks of cl100k_base have another hash"):
        OpenAICounter(encoding="cl100k_base", folder=str(tmp_path)).load()


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4.1-mini-2025-04-14", "o200k_base"),
        ("ft:gpt-4o-mini-2024-07-18:org::1", "o200k_base"),
        ("openai/gpt-4", "cl100k_base"),
        ("gpt-35-turbo-0125", "cl100k_base"),
        ("gpt-4zzz", None),
        ("tiny-1", None),
    ],
)
def test_a_model_is_known_by_its_family(model: str, encoding: str | None) -> None:
    assert encoding == encoding_of(model)


@pytest.mark.torch
def test_a_model_on_disk_is_counted_as_it_is_trained(tmp_path: Path) -> None:
    """The tokens of the trainer, from its tokenizer and its chat template, without the trainer."""
    pytest.importorskip("trl", reason="trl (the extra `local`) is not installed")
    from transformers import AutoTokenizer

    from runner.local.training.conversation import render_conversation
    from runner.local.training.training_file import Message
    from tests.local.training.fakes import save_chat_model

    folder = save_chat_model(tmp_path)
    counter = ModelCounter(folder=str(folder), sha256="0" * 64)
    messages: list[Any] = [Message(role=role, content=text) for role, text in TURNS]
    tokens, _ = render_conversation(AutoTokenizer.from_pretrained(folder), messages)
    (weight,) = counter.load().weigh([TURNS])

    assert len(tokens) == weight.n_tokens


def test_a_counter_goes_to_another_process_and_back() -> None:
    counter = EstimateCounter(margin=0.3)

    assert counter == counter_from(counter_value(counter))
