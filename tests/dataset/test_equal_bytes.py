"""One table gives one dataset: in any format, in any processes and pieces, built before or not."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.dataset.build import build_dataset
from runner.dataset.checks import DatasetLimits
from runner.dataset.effort import Effort
from runner.dataset.inputs import find_inputs
from runner.dataset.kept_pieces import KeptPieces
from runner.dataset.tokens import EstimatedTokens
from runner.recipe.load import load_recipe
from tests.dataset.test_build import RECIPE, WRITERS, rows

# What cutting, decoding and quoting might trip over; every format can hold it.
ADVERSARIAL = (
    "줄\u2028바꿈\u2029",
    'a "quoted" },{ "id": 1 ]}',
    "\r\n\r\n,\t;|",
    "😀 \U0010ffff é e\u0301",
    "\\u0041 \\n \\",
    "=1+1,'--",
    "가" * 500,
)
# Suffix, processes, bytes of a piece, whether all pieces were kept before.
ALL = tuple(product(WRITERS, (1, 2, 5), (700, 5_000, 1 << 20), (False, True)))
# Every format, number of processes, size and state; every pair of a format with a state.
SOME = (
    ("jsonl", 1, 700, False),
    ("jsonl", 2, 5_000, True),
    ("json", 5, 5_000, False),
    ("json", 1, 700, True),
    ("csv", 2, 700, False),
    ("csv", 2, 1 << 20, True),
    ("parquet", 2, 1 << 20, False),
    ("parquet", 5, 5_000, True),
)


def hashes(project: Path, suffix: str, n_workers: int, piece_bytes: int, *, is_warm: bool) -> list[str]:
    """The files of a dataset; a warm one is the second of two builds."""
    folder = project / f"{suffix}-{n_workers}-{piece_bytes}-{is_warm}"
    folder.mkdir()
    records = [
        {**record, "body": f"{ADVERSARIAL[number % len(ADVERSARIAL)]} {record['body']}"}
        for number, record in enumerate(rows(60))
    ]
    (folder / f"data.{suffix}").write_bytes(WRITERS[suffix](records))
    value: dict[str, Any] = RECIPE | {"sources": [{"path": f"data.{suffix}"}]}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(value), encoding="utf-8")
    loaded = load_recipe(folder / "recipe.yaml")
    yardstick = (DatasetLimits(min_examples=3, max_example_tokens=900), EstimatedTokens())
    effort = Effort(n_workers=n_workers, piece_bytes=piece_bytes, kept=KeptPieces(folder / "pieces", "a"))
    for number in range(1 + is_warm):
        out = folder / f"out-{number}"
        dataset = build_dataset(loaded, find_inputs(loaded), out, yardstick, effort)
    assert dataset.validation_file is not None
    return [dataset.training_file.sha256, dataset.validation_file.sha256, dataset.index]


def all_hashes(project: Path, ways: tuple[tuple[str, int, int, bool], ...]) -> set[tuple[str, ...]]:
    """What different ways to build one table come to."""
    return {
        tuple(hashes(project, suffix, n_workers, piece_bytes, is_warm=is_warm))
        for suffix, n_workers, piece_bytes, is_warm in ways
    }


def test_one_table_has_one_hash(project: Path) -> None:
    assert 1 == len(all_hashes(project, SOME))


@pytest.mark.long
def test_one_table_has_one_hash_in_every_way(project: Path) -> None:
    assert 72 == len(ALL)
    assert 1 == len(all_hashes(project, ALL))
