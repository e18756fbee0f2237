"""Which questions are asked, and which are left out."""

from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import RunnerError
from runner.evaluating import questions
from runner.evaluating.questions import TrainingRecords, choose_questions, read_questions
from runner.evaluation.items import set_sha256
from runner.recipe.load import load_recipe
from runner.recipe.model import Evaluation, Source
from tests.evaluation.examples import example
from tests.small_project import write_project

SECTION = Evaluation(graders=())
TRAINING = [example("t", "본문 형식은 무엇인가요?", "UTF-8 JSON입니다.", row=9)]
ASKED = [
    example("a", "본문 형식은 무엇인가요?", "JSON이에요.", row=1),
    example("b", "요금은 얼마인가요?", "월 3만 원입니다.", row=2),
    example("c", "When is it open?", "At nine.", row=3),
]


def test_a_question_that_was_trained_on_is_left_out_and_listed() -> None:
    items, found = choose_questions(ASKED, TRAINING, SECTION, looks=None)

    assert ["b", "c"] == [item.key for item in items]
    assert [("a", "data.json: row 1", "data.json: row 9", 1.0)] == [
        (leak.identity, str(leak.place), str(leak.training_place), leak.share) for leak in found.left_out
    ]
    assert ("validation", 2, True, set_sha256(items)) == (
        found.on, found.n, found.leaks_checked, found.sha256,
    )  # fmt: skip


def test_nothing_is_left_out_where_nobody_looks() -> None:
    items, found = choose_questions(ASKED, TRAINING, SECTION, looks=False)

    assert (3, (), None, False) == (len(items), found.left_out, found.overlap, found.leaks_checked)


@pytest.mark.parametrize(("looks", "n"), [(None, 3), (True, 2)])
def test_many_records_are_looked_through_on_request(
    monkeypatch: pytest.MonkeyPatch, looks: bool | None, n: int
) -> None:
    monkeypatch.setattr(questions, "MAX_RECORDS", 0)

    assert n == choose_questions(ASKED, TRAINING, SECTION, looks=looks)[1].n


def test_who_asks_what_was_trained_on_is_asked_all_of_it() -> None:
    section = replace(SECTION, on="training")

    assert 1 == choose_questions(TRAINING, TRAINING, section, looks=True)[1].n


def test_a_limit_counts_what_is_left() -> None:
    section = replace(SECTION, limit=2, sources=(Source(path="q.jsonl"),))
    items, found = choose_questions(ASKED, TRAINING, section, looks=None)

    assert (["b", "c"], "sources") == ([item.key for item in items], found.on)


def test_a_set_that_is_all_training_says_so() -> None:
    with pytest.raises(RunnerError) as caught:
        choose_questions(ASKED[:1], TRAINING, SECTION, looks=None)

    assert (
        "there are no questions to ask. The only one nearly repeats training records. "
        "Raise `split.validation`, or add records." == str(caught.value)
    )


def test_a_set_of_its_own_needs_records() -> None:
    section = replace(SECTION, sources=(Source(path="q.jsonl"),))
    with pytest.raises(RunnerError) as caught:
        choose_questions([], TRAINING, section, looks=None)

    assert "there are no questions to ask. Add records to `evaluation.sources`." == str(caught.value)


def test_many_training_records_are_read_again_and_not_kept(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever keeps them, the same are found, and those that are shown to a model are kept."""
    recipe = write_project(project)
    recipe.write_text(f"{recipe.read_text()}split: {{validation: 0.5, seed: 1}}\n")
    loaded = load_recipe(recipe, "default")
    kept, asked = read_questions(loaded, SECTION, keeps_training=False)
    assert isinstance(kept, list)

    monkeypatch.setattr(questions, "MAX_RECORDS", 1)
    again, asked_again = read_questions(loaded, SECTION, keeps_training=False)
    shown, _ = read_questions(loaded, SECTION, keeps_training=True)

    assert isinstance(again, TrainingRecords)
    assert (len(kept), kept, kept) == (len(again), list(again), list(again))
    assert (kept, asked) == (shown, asked_again)
    assert choose_questions(asked, kept, SECTION, looks=True) == choose_questions(
        asked, again, SECTION, looks=True
    )
