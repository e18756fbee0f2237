"""`gc` frees what can be made again, and nothing else."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

DAY_S = 86_400


@pytest.fixture
def used(call: Call, recipe: Path, hosted: FakeHost) -> Path:
    """A project with a locked dataset, a newer one that no lockfile names, a piece, and leftovers."""
    assert 0 == call("run", recipe, "--yes").code
    recipe.write_text(recipe.read_text().replace("{{ question }}", "Q: {{ question }}"))
    assert 0 == call("build", recipe).code
    state = recipe.parent / ".finetune"
    (state / "cache" / "pieces" / "aa").mkdir(parents=True)
    (state / "cache" / "pieces" / "aa" / "aa1").write_bytes(b"x" * 100)
    (state / "datasets" / ".building.1").write_bytes(b"x" * 10)
    return state


def age(folder: Path, days: float) -> None:
    """Let everything in a folder be so many days old."""
    for path in folder.rglob("*"):
        then = path.stat().st_mtime - days * DAY_S
        os.utime(path, (then, then))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_young_is_freed(call: Call, used: Path) -> None:
    before = content(used)
    outcome = call("gc")

    assert (0, "nothing to free\n") == (outcome.code, outcome.out)
    assert before == content(used)


def test_what_no_lockfile_names_is_freed_in_time(call: Call, used: Path, recipe: Path) -> None:
    age(used, 31)
    before = content(used)
    tried, done = call("gc", "--dry-run", "--json"), call("gc", "--json")
    after = content(used)
    gone = sorted(set(before) - set(after))

    assert {**done.data, "dry_run": True} == tried.data
    assert [("datasets", 3), ("leftovers", 1)] == [
        (each["kind"], each["n_files"]) for each in done.data["freed"]
    ]
    assert sum(len(before[name]) for name in gone) == sum(each["n_bytes"] for each in done.data["freed"])
    assert ["cache", "datasets", "datasets", "datasets"] == [name.split("/")[0] for name in gone]
    assert "history" in {name.split("/")[0] for name in after}
    assert before.items() >= after.items()


def test_a_locked_dataset_stays_whole(call: Call, used: Path, recipe: Path) -> None:
    """Its findings too: a plan of what is locked finds it built."""
    age(used, 31)
    call("gc", "--all")
    recipe.write_text(recipe.read_text().replace("Q: {{ question }}", "{{ question }}"))
    left = content(used)
    outcome = call("plan", recipe)

    assert "Nothing to do" in outcome.out
    assert left == content(used)


def test_pieces_go_by_size(call: Call, used: Path) -> None:
    outcome = call("gc", "--max-size", "0")

    assert "pieces of builds: 1 files, 100 bytes (not used for longest)\nfreed 100 bytes\n" == outcome.out
    assert not (used / "cache" / "pieces" / "aa" / "aa1").exists()


def test_a_lockfile_that_cannot_be_read_stops_it(call: Call, used: Path, recipe: Path) -> None:
    recipe.with_name("faq.lock.yaml").write_text("<<<<<<< HEAD\n")
    age(used, 31)
    before = content(used)
    outcome = call("gc", "--all")

    assert 6 == outcome.code
    assert "found merge markers" in outcome.err
    assert before == content(used)


def test_the_operator_says_how_much_is_kept(
    call: Call, used: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.dataset.kept_pieces.KEPT_FROM_BYTES", 0)
    pieces = used / "cache" / "pieces"
    recipe.write_text(recipe.read_text().replace("Q: ", "A: "))
    assert 0 == call("build", recipe).code
    assert len(content(pieces)) > 1

    monkeypatch.setenv("FINETUNE_CACHE_SIZE", "100B")
    assert "pieces of builds: " in call("gc", "--dry-run").out
    monkeypatch.setenv("FINETUNE_CACHE_SIZE", "0")
    recipe.write_text(recipe.read_text().replace("A: ", "B: "))
    assert 0 == call("build", recipe).code
    assert {} == content(pieces)


def test_a_size_that_is_none_is_named(call: Call, recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINETUNE_CACHE_SIZE", "much")
    outcome = call("build", recipe)

    assert (2, "error: FINETUNE_CACHE_SIZE: 'much' is no size. Write 20GB or 512MiB.\n") == (
        outcome.code,
        outcome.err,
    )
