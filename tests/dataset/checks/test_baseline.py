"""Old findings are counted, new ones shown."""

import json
from pathlib import Path

import pytest

from runner.dataset.checks.baseline import Baseline, outlived, read_baseline, with_baseline, write_baseline
from runner.dataset.checks.hits import Hit, Origin, hit_line, read_hits
from runner.dataset.value import Dataset, DatasetFile, Finding
from runner.errors import RunnerError
from runner.issues import Place, Severity

HITS: list[tuple[Hit, Origin | None]] = [
    (Hit("FT303", {"where": "message 2 (assistant)", "found": "mi***@**.**"}), Origin("b" * 16, "d.csv", 2)),
    (Hit("FT303", {"where": "message 2 (assistant)", "found": "ji***@**.**"}), Origin("a" * 16, "d.csv", 7)),
    (Hit("FT103", {}), Origin("a" * 16, "d.csv", 7)),
    (Hit("FT112", {}), None),
]


def dataset(folder: Path, hits: list[tuple[Hit, Origin | None]]) -> Dataset:
    (folder / "all.hits").write_bytes(b"".join(hit_line(*hit) for hit in hits))
    file = DatasetFile(sha256="0", size_bytes=0, n_examples=0, n_tokens=0, tokens_exact=True)
    return Dataset(
        folder=folder,
        training_file=file,
        validation_file=None,
        sources=(),
        templates=(),
        findings=(),
        n_records=0,
        index="",
        hits="all",
    )


def test_hits_survive_the_file(tmp_path: Path) -> None:
    assert HITS == list(read_hits(dataset(tmp_path, HITS).hits_path))


def test_a_baseline_is_sorted_and_leaves_out_what_hosts_enforce(tmp_path: Path) -> None:
    path = tmp_path / "faq.baseline.json"

    assert 3 == write_baseline(path, HITS)
    assert {
        "baseline_version": 1,
        "findings": {"FT112": ["dataset"], "FT303": ["a" * 16, "b" * 16]},
    } == json.loads(path.read_text())
    first = path.read_bytes()
    write_baseline(path, reversed(HITS))
    assert first == path.read_bytes()


def test_only_new_findings_are_left(tmp_path: Path) -> None:
    path = tmp_path / "faq.baseline.json"
    write_baseline(path, HITS)
    new = (
        Hit("FT303", {"where": "message 2 (assistant)", "found": "yu***@**.**"}),
        Origin("c" * 16, "d.csv", 9),
    )
    left = with_baseline(
        dataset(tmp_path, [*HITS, new]), read_baseline(path, "b.json"), {"FT103": "error", "FT303": "info"}
    )

    assert 3 == left.n_known
    assert [
        ("FT103", Severity.ERROR, 1, (Place(file="d.csv", row=7),)),
        ("FT303", Severity.INFO, 1, (Place(file="d.csv", row=9),)),
    ] == [(item.code, item.severity, item.count, item.places) for item in left.findings]
    assert isinstance(left.findings[0], Finding)


def test_what_nothing_has_any_more_is_counted() -> None:
    baseline = Baseline(known={"FT303": frozenset(["a" * 16, "d" * 16]), "FT112": frozenset(["dataset"])})

    assert 1 == outlived(baseline, HITS)


def test_a_baseline_cannot_excuse_what_hosts_enforce(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text('{"baseline_version": 1, "findings": {"FT103": ["' + "a" * 16 + '"], "FT999": ["x"]}}')

    assert Baseline(known={}) == read_baseline(path, "b.json")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "it is JSON of another shape"),
        ('{"findings": []}', "it is JSON of another shape"),
        ('{"baseline_version": 1, "findings": {"FT303": 7}}', "it is JSON of another shape"),
        ('{"findings": {}}', "version None, this program writes 1"),
        ('{"baseline_version": 2}', "version 2, this program writes 1"),
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(RunnerError) as caught:
        read_baseline(path, "recipes/b.json")

    assert (
        f"recipes/b.json: found no baseline ({reason}), "
        "expected what `finetune check --write-baseline` writes. Write it again." == str(caught.value)
    )


def test_a_missing_baseline_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(RunnerError) as caught:
        read_baseline(tmp_path / "b.json", "recipes/b.json")

    assert "recipes/b.json: found no such baseline. `finetune check --write-baseline` writes one." == str(
        caught.value
    )
