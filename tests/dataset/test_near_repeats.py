"""Validation leaves out what nearly repeats training, the same in any number of processes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runner.dataset.build import Effort, build_dataset
from runner.dataset.checks import DatasetLimits
from runner.dataset.inputs import find_inputs
from runner.dataset.kept_pieces import KeptPieces
from runner.dataset.left_out import LeftOut, left_out
from runner.dataset.near_repeats import MAX_BYTES, NearRepeat, Search, find_in_part, threshold_of
from runner.dataset.tokens import EstimatedTokens
from runner.dataset.value import Dataset
from runner.issues import Place
from runner.recipe.load import LoadedRecipe, load_recipe
from runner.recipe.model import Split

WORDS = (
    "환불",
    "배송",
    "주문",
    "결제",
    "휴일",
    "점검",
    "요금",
    "쿠폰",
    "주소",
    "계정",
    "알림",
    "영수증",
    "포인트",
)
RECIPE = """
version: 1
name: test
key: id
sources: [{{path: data.jsonl}}]
fields: {{q: q, a: a}}
template:
  messages:
    - {{role: user, content: "{{{{ q }}}}"}}
    - {{role: assistant, content: "{{{{ a }}}}"}}
split: {{validation: 0.3{split}}}
training: {{model: tiny-1}}
"""
Make = Callable[..., LoadedRecipe]


def answer(number: int) -> str:
    return " ".join(WORDS[(number * step + step) % len(WORDS)] for step in range(1, 12)) + f" {number:03}"


@pytest.fixture
def recipe(project: Path) -> Make:
    """Forty records, then ten of them again with another last sign."""
    records = [{"id": f"r{n}", "q": f"{n}번 문의", "a": f"{answer(n)}."} for n in range(40)]
    records += [{**record, "id": f"n{n}", "a": f"{answer(n)}!"} for n, record in enumerate(records[:10])]
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (project / "data.jsonl").write_text(text, encoding="utf-8")

    def make(split: str = "") -> LoadedRecipe:
        (project / "recipe.yaml").write_text(RECIPE.format(split=split), encoding="utf-8")
        return load_recipe(project / "recipe.yaml")

    return make


def built(loaded: LoadedRecipe, n_workers: int = 1, kept: KeptPieces | None = None) -> Dataset:
    yardstick = (DatasetLimits(min_examples=3), EstimatedTokens())
    effort = Effort(n_workers=n_workers, piece_bytes=1 << 10, kept=kept)
    return build_dataset(loaded, find_inputs(loaded), loaded.project.root / "out", yardstick, effort)


def test_they_leave_validation_and_are_listed_with_both_places(recipe: Make) -> None:
    dataset, whole = built(recipe()), built(recipe(", near_repeats: keep"))

    assert whole.training_file == dataset.training_file
    assert whole.validation_file is not None
    assert dataset.validation_file is not None
    lines = whole.path_of(whole.validation_file).read_text("utf-8").splitlines()
    kept = dataset.path_of(dataset.validation_file).read_text("utf-8").splitlines()
    gone = [line for line in lines if line not in kept]
    assert [line for line in lines if line in kept] == kept
    assert [
        LeftOut("data.jsonl: row 7", "data.jsonl: row 47", "93%"),
        LeftOut("data.jsonl: row 45", "data.jsonl: row 5", "93%"),
        LeftOut("data.jsonl: row 49", "data.jsonl: row 9", "93%"),
    ] == list(left_out(dataset))
    assert (len(gone), 0) == (dataset.n_near_repeats, whole.n_near_repeats)
    assert len(kept) == dataset.validation_file.n_examples
    n_tokens = sum(EstimatedTokens().count(turns(line)) for line in kept)
    assert n_tokens == dataset.validation_file.n_tokens
    assert n_tokens < whole.validation_file.n_tokens


def turns(line: str) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in json.loads(line)["messages"]]


def test_the_check_says_so_and_the_index_too(recipe: Make) -> None:
    dataset = built(recipe())

    found = next(item for item in dataset.findings if item.code == "FT406")
    assert (dataset.n_near_repeats, Place(file="data.jsonl", row=7)) == (found.count, found.places[0])
    sides = [line.split()[2] for line in dataset.index_path.read_text("ascii").splitlines()]
    assert dataset.validation_file is not None
    assert (50, dataset.validation_file.n_examples, dataset.n_near_repeats) == (
        len(sides),
        sides.count("validation"),
        sides.count("left_out"),
    )


def test_what_is_left_out_is_no_leak(recipe: Make) -> None:
    """The ten repeat questions with another answer; three of them are in neither file."""
    kept, whole = (
        {item.code: item.count for item in built(recipe(split)).findings}
        for split in ("", ", near_repeats: keep")
    )

    assert (7, None) == (kept["FT108"], kept.get("FT109"))
    assert (10, 3) == (whole["FT108"], whole["FT109"])


def test_neither_processes_nor_kept_pieces_change_anything(recipe: Make, tmp_path: Path) -> None:
    loaded, kept = recipe(), KeptPieces(tmp_path / "pieces", "made by a test")
    expected = built(loaded)

    assert expected.n_near_repeats > 0
    assert [expected] * 3 == [built(loaded, 2), built(loaded, 2, kept), built(loaded, 1, kept)]


def test_a_suppression_leaves_them_out_of_the_list_alone(recipe: Make) -> None:
    loaded = recipe()
    silent = replace(loaded.recipe.checks, levels=(("FT406", "off"),))
    dataset = built(replace(loaded, recipe=replace(loaded.recipe, checks=silent)))

    assert (built(loaded).validation_file, []) == (dataset.validation_file, list(left_out(dataset)))


def test_a_file_larger_than_a_block_is_compared_in_parts(tmp_path: Path) -> None:
    def write(name: str, answers: list[str]) -> Path:
        messages = [
            {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": item}]}
            for item in answers
        ]
        (tmp_path / name).write_text("".join(json.dumps(item) + "\n" for item in messages), encoding="utf-8")
        return tmp_path / name

    training = write("training", [f"{answer(n)}." for n in (3, 1, 1, 2)])
    validation = write("validation", [f"{answer(n)}." for n in (1, 7, 2, 8, 3)])
    expected = {0: NearRepeat(1, 1.0), 2: NearRepeat(3, 1.0), 4: NearRepeat(0, 1.0)}

    assert [expected] * 3 == [
        find_in_part(Search(training, validation, block_texts=size)).repeats for size in (1, 2, 100)
    ]


@pytest.mark.parametrize(
    ("split", "n_records", "expected"),
    [
        (Split(), 10, None),
        (Split(validation=0.1), 100_000, 0.8),
        (Split(validation=0.1), 100_001, None),
        (Split(validation=0.1, near_repeats="keep"), 10, None),
        (Split(validation=0.1, near_repeats=0.9), 100_001, 0.9),
    ],
)
def test_it_is_done_by_itself_up_to_a_size_and_above_on_request(
    split: Split, n_records: int, expected: float | None
) -> None:
    assert expected == threshold_of(split, n_records, 1)


def test_many_bytes_are_compared_where_it_is_asked(tmp_path: Path) -> None:
    assert [0.8, None, 0.9] == [
        threshold_of(Split(validation=0.1), 10, MAX_BYTES),
        threshold_of(Split(validation=0.1), 10, MAX_BYTES + 1),
        threshold_of(Split(validation=0.1, near_repeats=0.9), 10, MAX_BYTES + 1),
    ]


def test_what_is_too_large_unasked_is_told(recipe: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def codes(split: str = "") -> tuple[int, list[str]]:
        dataset = built(recipe(split))
        return dataset.n_near_repeats, [item.code for item in dataset.findings if item.code >= "FT406"]

    monkeypatch.setattr("runner.dataset.near_repeats.MAX_STEPS", 0)
    monkeypatch.setattr("runner.dataset.near_repeats.MAX_STEPS_A_RECORD", 0)
    assert [(0, ["FT407"]), (3, ["FT406"]), (0, [])] == [
        codes(), codes(", near_repeats: 0.8"), codes(", near_repeats: keep"),
    ]  # fmt: skip
    monkeypatch.setattr("runner.dataset.near_repeats.MAX_BYTES", 0)
    assert (0, ["FT407"]) == codes()
