"""Merging three lockfiles: run by run, never inside one."""

from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import StaleLockError
from runner.lock.lockfile import LockedFile, LockedRun, Lockfile, entry_bytes, lockfile_bytes, parse_lockfile
from runner.lock.merge import merge_lockfiles
from tests.fakes import make_dataset

HEAD = lockfile_bytes(Lockfile()).replace(b"runs: {}\n", b"runs:\n")


@pytest.fixture
def run(tmp_path: Path) -> LockedRun:
    dataset = make_dataset(tmp_path / "datasets")
    return LockedRun(
        recipe_sha256="1" * 64,
        sections={},
        sources=dataset.sources,
        templates=(),
        n_records=12,
        index="b" * 64,
        training_file=LockedFile(file=dataset.training_file, file_id="file-1"),
    )


def changed(run: LockedRun, digit: str) -> LockedRun:
    return replace(run, recipe_sha256=digit * 64)


def merged(base: dict[str, LockedRun], ours: dict[str, LockedRun], theirs: dict[str, LockedRun]) -> Lockfile:
    """The lockfile that a merge without a conflict makes."""
    texts = [lockfile_bytes(Lockfile(runs=runs)) for runs in (base, ours, theirs)]
    found = merge_lockfiles(texts[0], texts[1], texts[2], "faq.lock.yaml")
    assert () == found.conflicts
    lockfile = parse_lockfile(found.content, "faq.lock.yaml")
    assert lockfile_bytes(lockfile) == found.content
    return lockfile


def test_a_run_that_one_side_changed_comes_from_that_side(run: LockedRun) -> None:
    two, three = changed(run, "2"), changed(run, "3")
    base = {"default": run, "openai": run}

    assert {"default": two, "openai": three} == merged(
        base, {**base, "default": two}, {**base, "openai": three}
    ).runs


def test_runs_added_on_both_sides_are_all_kept(run: LockedRun) -> None:
    assert {"a": run, "b": run, "c": run} == merged(
        {"b": run}, {"a": run, "b": run}, {"b": run, "c": run}
    ).runs


def test_an_equal_change_is_taken_once(run: LockedRun) -> None:
    two = changed(run, "2")

    assert {"default": two} == merged({"default": run}, {"default": two}, {"default": two}).runs


def test_a_run_that_one_side_removed_is_removed(run: LockedRun) -> None:
    assert {"b": run} == merged({"a": run, "b": run}, {"b": run}, {"a": run, "b": run}).runs


def test_the_same_run_changed_on_both_sides_stands_between_markers(run: LockedRun) -> None:
    """The runs around it are merged all the same."""
    two, three = changed(run, "2"), changed(run, "3")
    base = {"a": run, "b": run, "c": run}
    texts = [
        lockfile_bytes(Lockfile(runs=runs))
        for runs in (base, {**base, "a": two, "b": two}, {**base, "b": three, "c": three})
    ]
    found = merge_lockfiles(texts[0], texts[1], texts[2], "faq.lock.yaml")

    assert ("b",) == found.conflicts
    assert (
        HEAD
        + entry_bytes("a", two)
        + b"<<<<<<< ours\n"
        + entry_bytes("b", two)
        + b"=======\n"
        + entry_bytes("b", three)
        + b">>>>>>> theirs\n"
        + entry_bytes("c", three)
    ) == found.content


def test_a_run_removed_here_and_changed_there_is_a_conflict(run: LockedRun) -> None:
    two = changed(run, "2")
    texts = [lockfile_bytes(Lockfile(runs=runs)) for runs in ({"a": run}, {}, {"a": two})]
    found = merge_lockfiles(texts[0], texts[1], texts[2], "faq.lock.yaml")

    assert (
        HEAD + b"<<<<<<< ours\n=======\n" + entry_bytes("a", two) + b">>>>>>> theirs\n",
        ("a",),
    ) == (found.content, found.conflicts)


def test_an_empty_base_has_no_runs(run: LockedRun) -> None:
    """Git gives an empty file where both sides added the lockfile."""
    ours, theirs = (lockfile_bytes(Lockfile(runs={name: run})) for name in ("a", "b"))

    assert (
        lockfile_bytes(Lockfile(runs={"a": run, "b": run})) == merge_lockfiles(b"", ours, theirs, "x").content
    )


def test_what_is_no_lockfile_is_refused(run: LockedRun) -> None:
    ours = lockfile_bytes(Lockfile(runs={"a": run}))
    with pytest.raises(StaleLockError) as caught:
        merge_lockfiles(b"", ours, b"packages: []\n", "conda.lock.yaml")

    assert str(caught.value).endswith("conda.lock.yaml: not a usable lockfile. Restore it with git.")
