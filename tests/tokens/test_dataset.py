"""A dataset is counted once, and an edit counts its own block."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from runner.dataset.value import DatasetFile
from runner.tokens import counting
from runner.tokens.blocks import Weighed, weigh_block
from runner.tokens.counters import EstimateCounter
from runner.tokens.dataset import count_file
from runner.tokens.known import with_known_tokens
from runner.tokens.store import CountStore
from tests.fakes import make_dataset

COUNTER = EstimateCounter(margin=0.3)
N = 5_000


def lines(changed: int | None = None) -> list[str]:
    return [
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"질문 {number}?"},
                    {"role": "assistant", "content": "다른 대답" if number == changed else f"대답 {number}"},
                ]
            },
            ensure_ascii=False,
        )
        for number in range(N)
    ]


def file_of(path: Path, content: list[str]) -> DatasetFile:
    from runner.canonical import sha256_file

    path.write_text("".join(f"{line}\n" for line in content), encoding="utf-8")
    return DatasetFile(
        sha256=sha256_file(path),
        size_bytes=path.stat().st_size,
        n_examples=len(content),
        n_tokens=0,
        tokens_exact=False,
    )


@pytest.fixture
def weighed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines each weighing had."""
    counts: list[int] = []

    def counted(block: bytes, weigher: object) -> Weighed:
        counts.append(block.count(b"\n"))
        return weigh_block(block, weigher)  # type: ignore[arg-type]

    monkeypatch.setattr(counting, "weigh_block", counted)
    return counts


def test_an_edit_counts_its_own_block(tmp_path: Path, weighed: list[int]) -> None:
    with closing(CountStore(tmp_path / "tokens.sqlite")) as store:
        path = tmp_path / "a.jsonl"
        first = count_file(path, file_of(path, lines()), COUNTER, store)
        n_first = sum(weighed)
        again = count_file(path, file_of(path, lines()), COUNTER, store)
        n_again = sum(weighed)
        edited = count_file(path, file_of(path, lines(changed=2_500)), COUNTER, store)

    assert N == n_first == n_again
    assert first.weighed == again.weighed
    assert 0 < sum(weighed) - n_again < N
    assert N == len(edited.weighed.lengths)
    assert first.weighed.n_tokens == sum(first.weighed.lengths)
    assert {"user", "assistant"} == set(first.weighed.roles)


def test_a_damaged_store_is_an_empty_one(tmp_path: Path, weighed: list[int]) -> None:
    path = tmp_path / "a.jsonl"
    (tmp_path / "tokens.sqlite").write_bytes(b"no database")
    with closing(CountStore(tmp_path / "tokens.sqlite")) as store:
        count_file(path, file_of(path, lines()), COUNTER, store)

    assert N == sum(weighed)


def test_what_is_more_than_text_is_not_called_exact() -> None:
    plain = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    named = {"messages": [{"role": "user", "content": "a", "name": "김"}, *plain["messages"][1:]]}
    tools = {**plain, "tools": [{"type": "function", "function": {"name": "f"}}]}
    block = b"".join(json.dumps(line).encode() + b"\n" for line in (plain, named, tools))

    assert 2 == weigh_block(block, COUNTER.load()).n_inexact


def test_a_machine_without_the_counter_keeps_what_is_locked(tmp_path: Path) -> None:
    """The same bytes have the same tokens: no lockfile changes because a library is missing."""
    dataset = make_dataset(tmp_path)
    here = dataset.training_file
    known = DatasetFile(
        sha256=here.sha256,
        size_bytes=here.size_bytes,
        n_examples=here.n_examples,
        n_tokens=77,
        tokens_exact=True,
        token_counter="o200k_base chat-1",
    )
    other = DatasetFile(
        sha256="0" * 64, size_bytes=1, n_examples=1, n_tokens=1, tokens_exact=True, token_counter="x"
    )

    assert known == with_known_tokens(dataset, (known,)).training_file
    assert here == with_known_tokens(dataset, (other, None)).training_file
