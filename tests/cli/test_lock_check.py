"""`finetune lock-check`: whether a lockfile is stale, without building anything."""

from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.fake_host import FakeHost


@pytest.fixture
def locked(recipe: Path, hosted: FakeHost, call: Call) -> Path:
    """The recipe with the lockfile of a run."""
    assert 0 == call("run", recipe, "--yes").code
    return recipe


def edit(path: Path, before: str, after: str) -> None:
    """Replace a piece of a file that is there."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def test_a_lock_that_holds(call: Call, locked: Path) -> None:
    outcome = call("lock-check", locked)

    assert (0, "faq.lock.yaml: default: as locked\n", "") == (outcome.code, outcome.out, outcome.err)
    assert outcome.out == call("lock-check", "faq.lock.yaml").out
    assert outcome.out == call("lock-check").out


def test_every_difference_is_named(call: Call, locked: Path) -> None:
    edit(locked, "n_epochs: 2", "n_epochs: 3")
    edit(locked, "key: id\n", "key: id\nwhere: question | length > 1\n")
    edit(locked.with_name("faq.jsonl"), "It is number 3.", "It is three.")
    outcome = call("lock-check", locked, "faq.lock.yaml")

    assert (6, "") == (outcome.code, outcome.err)
    assert [
        "faq.lock.yaml: default: source: faq.jsonl has other bytes",
        "faq.lock.yaml: default: recipe: `where` changed",
        "faq.lock.yaml: default: job: n_epochs 2 → 3 since it was locked",
    ] == outcome.out.splitlines()


def test_what_means_the_same_is_not_stale(call: Call, locked: Path) -> None:
    """A comment, the order of keys, a description."""
    locked.write_text("# ours\n" + locked.read_text().replace("name: faq", "description: x\nname: faq"))
    assert 0 == call("fmt", locked).code

    assert 0 == call("lock-check", locked).code


def test_without_the_data_the_rest_is_compared(call: Call, locked: Path) -> None:
    """Data that git ignores is not in a fresh clone; the output says what was not compared."""
    locked.with_name("faq.jsonl").unlink()
    current = call("lock-check", locked)
    edit(locked, "n_epochs: 2", "n_epochs: 3")
    stale = call("lock-check", locked)
    unchecked = "faq.lock.yaml: default: not compared, faq.jsonl: found no such file, expected one. "

    assert (0, "") == (current.code, current.err)
    assert current.out.startswith(unchecked)
    assert "faq.lock.yaml: default: the rest is as locked" == current.out.splitlines()[-1]
    assert (6, "faq.lock.yaml: default: job: n_epochs 2 → 3 since it was locked") == (
        stale.code,
        stale.out.splitlines()[0],
    )
    assert stale.out.splitlines()[1].startswith(unchecked)


def test_every_locked_profile_is_compared(call: Call, locked: Path) -> None:
    with locked.open("a") as stream:
        stream.write("profiles:\n  long:\n    training: {seed: 5}\n  gone:\n    training: {seed: 6}\n")
    assert 0 == call("run", locked, "--yes", "--profile", "long").code
    assert 0 == call("run", locked, "--yes", "--profile", "gone").code
    edit(locked, "  gone:\n    training: {seed: 6}\n", "")
    edit(locked, "seed: 5", "seed: 7")
    outcome = call("lock-check", locked)

    assert 6 == outcome.code
    assert [
        "faq.lock.yaml: default: as locked",
        "faq.lock.yaml: gone: recipe: the profile is gone",
        "faq.lock.yaml: long: job: seed 5 → 7 since it was locked",
    ] == outcome.out.splitlines()


def test_a_recipe_that_never_ran_is_not_stale(call: Call, recipe: Path, hosted: FakeHost) -> None:
    outcome = call("lock-check", recipe)

    assert (0, "faq.lock.yaml: nothing is locked yet; `finetune run` does it\n") == (
        outcome.code,
        outcome.out,
    )


def test_a_lock_in_the_middle_of_a_merge_is_stale(call: Call, locked: Path) -> None:
    lock = locked.with_name("faq.lock.yaml")
    lock.write_text("<<<<<<< HEAD\n" + lock.read_text())
    outcome = call("lock-check", locked)

    assert 6 == outcome.code
    assert outcome.out.startswith("faq.lock.yaml: found merge markers. ")


def test_invalid_recipes_are_listed_with_the_rest(call: Call, locked: Path) -> None:
    bad = locked.with_name("bad.yaml")
    bad.write_text("version: 1\nname: a\nname: b\n")
    outcome = call("lock-check", bad, "none.yaml", locked)

    assert (1, "faq.lock.yaml: default: as locked\n") == (outcome.code, outcome.out)
    assert ["bad.yaml:3:1", "none.yaml"] == [line.partition(": ")[0] for line in outcome.err.splitlines()]


def test_json_tells_the_same(call: Call, locked: Path) -> None:
    edit(locked, "n_epochs: 2", "n_epochs: 3")
    outcome = call("lock-check", "--json", locked)

    assert 6 == outcome.code
    assert {
        "ok": False,
        "locks": [
            {
                "lock": "faq.lock.yaml",
                "unusable": None,
                "runs": [
                    {
                        "profile": "default",
                        "differences": [
                            {"stage": "job", "name": "n_epochs 2 → 3", "what": "since it was locked"}
                        ],
                        "unchecked": [],
                    }
                ],
            }
        ],
    } == outcome.data
