"""The file of aliases: entries are only added, and a changed past shows."""

from dataclasses import replace
from pathlib import Path

import pytest

from runner.aliases import AliasBook, Promotion, append_alias, in_force, read_aliases, stood_for
from runner.errors import StaleLockError, UsageError
from runner.project import Project
from runner.schema import load_schema

ONE = Promotion(
    alias="production",
    action="promote",
    at="2026-11-01T12:00:00Z",
    model="ft:base:org::1",
    provider="openai",
    recipe="recipes/guide.yaml",
    run="default",
    job="ftjob-1",
    training_file="0" * 64,
)


def follow(before: Promotion, **changes: str) -> Promotion:
    return replace(before, after=before.link, **changes)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of three entries."""
    file = tmp_path / "aliases.yaml"
    two = follow(ONE, model="ft:base:org::2", at="2026-11-02T12:00:00Z", reason="worse")
    three = follow(two, model="ft:base:org::1", at="2026-11-03T12:00:00Z", action="rollback")
    for number, entry in enumerate((ONE, two, three)):
        append_alias(file, (ONE, two, three)[:number], entry)
    return file


def test_entries_are_read_back(path: Path) -> None:
    entries = read_aliases(path)

    assert ["promote", "promote", "rollback"] == [entry.action for entry in entries]
    assert [None, "worse", "worse"] == [entry.reason for entry in entries]
    assert ["ft:base:org::1"] == [entry.model for entry in stood_for(entries, "production")]
    assert {"production": entries[1]} == in_force(entries, "2026-11-03T11:59:59Z")
    assert () == read_aliases(path.with_name("none.yaml"))


def test_a_new_entry_leaves_the_bytes_before_it(path: Path) -> None:
    before, entries = path.read_bytes(), read_aliases(path)
    append_alias(path, entries, follow(entries[-1], alias="staging"))

    assert path.read_bytes().startswith(before)
    assert 4 == len(read_aliases(path))


def test_a_clock_that_is_behind_is_told(path: Path) -> None:
    entries = read_aliases(path)
    with pytest.raises(UsageError) as caught:
        append_alias(path, entries, follow(entries[-1], at="2026-11-01T00:00:00Z"))

    assert (
        "it is 2026-11-01T00:00:00Z by this machine's clock, before the last entry of aliases.yaml "
        "(2026-11-03T12:00:00Z). Set the clock."
    ) == str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "reason: worse",
            "reason: fine",
            "aliases.yaml: entry 3 (production, 2026-11-03T12:00:00Z): found after {two}, expected {other}: "
            "an entry before it was changed, removed or merged in. Restore the file with git.",
        ),
        (
            "aliases_version: 1",
            "<<<<<<< HEAD\naliases_version: 1",
            "aliases.yaml: found merge markers: two branches changed what is served. Keep the entries of one "
            "side and promote the other side's model again, if it is to serve.",
        ),
        (
            "at: '2026-11-03T12:00:00Z'",
            "at: today",
            "aliases.yaml:26:7: $.entries[2].at: found 'today', expected a time in UTC such as "
            "2026-11-01T12:00:00Z.\naliases.yaml: not usable. Restore it with git.",
        ),
        ("entries:", "entries: 3\nmore:", "aliases.yaml:4:1: $.more: "),
    ],
)
def test_a_file_that_was_edited(path: Path, old: str, new: str, message: str) -> None:
    two = read_aliases(path)[1]
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(StaleLockError) as caught:
        read_aliases(path)

    assert str(caught.value).startswith(message.format(two=two.link, other=replace(two, reason="fine").link))


def test_of_many_problems_the_first_are_shown(path: Path) -> None:
    """An entry of which only its beginning is left."""
    path.write_text(f"{path.read_text()}- alias: staging\n")
    with pytest.raises(StaleLockError) as caught:
        read_aliases(path)

    lines = str(caught.value).splitlines()
    assert [
        "aliases.yaml:35:3: $.entries[3]: the key 'action' is missing. Add it: `promote` for a recipe's "
        "tuned model, `rollback` for the one before.",
        "aliases.yaml: 3 more problems.",
        "aliases.yaml: not usable. Restore it with git.",
    ] == [lines[0], *lines[-2:]]
    assert 7 == len(lines)


def test_the_book_follows_the_file(path: Path) -> None:
    book = AliasBook(Project(root=path.parent))
    entries = read_aliases(path)
    before = book.find("production")
    append_alias(path, entries, follow(entries[-1], model="ft:base:org::9"))
    after = book.find("production")

    assert ("ft:base:org::1", "ft:base:org::9") == (before and before.model, after and after.model)
    assert book.find("ft:base:org::1") is book.find("staging") is None
    assert AliasBook(Project(root=path.parent / "none")).find("production") is None


def test_the_evidence_is_that_of_a_lockfile() -> None:
    lockfile, aliases = load_schema("lockfile")["$defs"], load_schema("aliases")["$defs"]

    assert {name: lockfile[name] for name in aliases if name != "entry"} == {
        name: definition for name, definition in aliases.items() if name != "entry"
    }
