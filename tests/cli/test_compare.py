"""Two evaluations, or two models, side by side."""

from pathlib import Path

from tests.cli.conftest import Call
from tests.cli.test_evaluation import accept, evaluated, knows
from tests.fake_host import FakeHost

__all__ = ["evaluated"]


def sibling(recipe: Path, call: Call, **replaced: str) -> Path:
    """A second recipe beside the first, trained."""
    text = recipe.read_text().replace("name: faq", "name: other").replace("n_epochs: 2", "n_epochs: 3")
    for before, after in replaced.items():
        text = text.replace(before, after)
    other = recipe.with_name("other.yaml")
    other.write_text(text)
    assert 0 == call("run", other, "--yes").code
    return other


def test_two_locked_evaluations_question_by_question(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    other = sibling(evaluated, call)
    call("eval", evaluated, *accept())
    hosted.answer = knows(3)
    call("eval", other, *accept())
    asked = len(hosted.questions)
    found = call("compare", "faq.yaml", "other.lock.yaml", "--json")

    assert 0 == found.code
    assert asked == len(hosted.questions)
    assert ["faq.yaml", "other.lock.yaml"] == [side["name"] for side in found.data["sides"]]
    assert [("training.hyperparameters.n_epochs", 2, 3)] == [
        (change["path"], change["before"], change["after"])
        for change in found.data["changes"]
        if change["path"].startswith("training")
    ]
    assert (True, None) == (found.data["paired"], found.data["not_comparable"])
    [comparison] = found.data["comparisons"]
    n = comparison["difference"]["n"]
    assert n == comparison["wins"] + comparison["ties"]
    assert comparison["wins"] > 0


def test_other_questions_are_not_comparable(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    other = sibling(evaluated, call)
    call("eval", evaluated, *accept())
    other.write_text(other.read_text().replace("max_tokens: 20", "limit: 3"))
    call("eval", other, *accept())

    found = call("compare", "faq.yaml", "other.yaml")

    assert 0 == found.code
    last = found.out.splitlines()[-1]
    assert last.startswith("not comparable: they asked different questions (hashes ")


def test_answers_of_another_machine_leave_the_means(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    sibling(evaluated, call)
    call("eval", evaluated, *accept())
    call("eval", "other.yaml", *accept())
    for path in (evaluated.parent / ".finetune" / "evaluation" / "answers").iterdir():
        path.unlink()

    found = call("compare", "faq.yaml", "other.yaml")

    assert found.out.splitlines()[-1].endswith(
        ", means alone; the 95 % interval tells a difference from chance, and no test can be made without "
        "the answers."
    )
    assert (
        "The answers are not on this machine: only means are compared. `finetune eval` asks again.\n"
        == found.err
    )


def test_two_models_are_asked_and_nothing_is_locked(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    before = evaluated.with_name("faq.lock.yaml").read_bytes()
    found = call("compare", "base-1", "ft:base-1:org::1", "--recipe", evaluated, *accept("--json"))

    assert 0 == found.code
    assert ["base-1", "ft:base-1:org::1"] == [item["name"] for item in found.data["evaluation"]["results"]]
    [comparison] = found.data["evaluation"]["comparisons"]
    assert "worse" == comparison["verdict"]
    assert before == evaluated.with_name("faq.lock.yaml").read_bytes()


def test_an_alias_is_compared_by_its_name(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    assert 0 == call("promote", "production", evaluated).code
    found = call("compare", "production", "base-1", "--recipe", evaluated, *accept("--json"))

    assert [("production", "ft:base-1:org::1"), ("base-1", "base-1")] == [
        (item["name"], item["model"]) for item in found.data["evaluation"]["results"]
    ]


def test_nothing_is_noted_of_a_model_that_is_not_asked(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    data = evaluated.with_name("faq.jsonl")
    data.write_text(data.read_text().replace("It is", "That is"))
    others = call("compare", "base-1", "base-2", "--recipe", evaluated, *accept("--json"))
    own = call("compare", "base-1", "ft:base-1:org::1", "--recipe", evaluated, *accept("--json"))

    [note] = own.data["evaluation"]["notes"]
    assert [] == others.data["evaluation"]["notes"]
    assert note.startswith("the model was trained on other data than the recipe has now")


def test_one_model_twice_is_refused(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    found = call("compare", "base-1", "base-1", "--recipe", evaluated, *accept())

    assert 2 == found.code
    assert "error: 'base-1' would be asked twice under one name; expected each name once.\n" == found.err
    assert [] == hosted.questions


def test_python_graders_are_allowed_as_for_an_evaluation(
    evaluated: Path, hosted: FakeHost, call: Call
) -> None:
    evaluated.write_text(
        evaluated.read_text().replace(
            "- {type: string_check, name: exact, operation: eq}",
            "- {type: python, name: exact, source: 'def grade(sample, item): return 1.0'}",
        )
    )

    refused = call("compare", "base-1", "base-0", "--recipe", evaluated, *accept())

    assert 2 == refused.code
    assert (
        "error: a grader runs Python from the recipe on this machine; --allow-code allows it.\n"
        == refused.err
    )
    assert 0 == call("compare", "base-1", "base-0", "--recipe", evaluated, *accept("--allow-code")).code


def test_what_was_never_evaluated_says_so(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    never = call("compare", "faq.yaml", "faq.yaml")
    missing = call("compare", "faq.yaml", "gone.yaml")
    profile = call("compare", "faq.yaml@defualt", "faq.yaml")
    Path("other.yaml").write_text(evaluated.read_text())
    not_run = call("compare", "other.yaml", "faq.yaml")

    assert [1, 1, 1, 1] == [never.code, missing.code, profile.code, not_run.code]
    assert (
        "error: other.lock.yaml has no run 'default'. `finetune run other.yaml` makes one.\n"
    ) == not_run.err
    assert (
        "error: faq.lock.yaml has no evaluation of the run 'default'. `finetune eval` makes one, and locks "
        "it where the gate passes; --bless locks it all the same.\n" == never.err
    )
    assert "error: faq.lock.yaml has no run 'defualt'. Did you mean 'default'?\n" == profile.err
