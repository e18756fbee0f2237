"""`finetune fmt`: which files it touches, what it prints, and how it refuses."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from runner.recipe.formatting import format_recipe
from tests.cli.conftest import Call

NOTHING_LEFT = "nothing to lay out in 1 recipe\n"


def laid_out(recipe: Path) -> str:
    """The recipe's text as it should be."""
    return format_recipe(recipe.read_bytes(), recipe.name).decode()


def test_a_recipe_is_laid_out_in_place_and_only_once(call: Call, recipe: Path) -> None:
    expected = laid_out(recipe)
    first, second = call("fmt", recipe.name), call("fmt", recipe.name)

    assert (0, "laid out faq.yaml\n", "1 of 1 recipe laid out\n") == (first.code, first.out, first.err)
    assert (0, "", NOTHING_LEFT) == (second.code, second.out, second.err)
    assert expected == recipe.read_text()


def test_a_file_that_is_right_is_not_written(call: Call, recipe: Path) -> None:
    call("fmt", recipe)
    before = recipe.stat()

    assert 0 == call("fmt", recipe).code
    assert (before.st_ino, before.st_mtime_ns) == (recipe.stat().st_ino, recipe.stat().st_mtime_ns)


def test_the_mode_of_a_file_is_kept(call: Call, recipe: Path) -> None:
    recipe.chmod(0o640)

    assert 0 == call("fmt", recipe).code
    assert 0o640 == recipe.stat().st_mode & 0o777


def test_check_lists_and_writes_nothing(call: Call, recipe: Path) -> None:
    before = recipe.read_text()
    outcome = call("fmt", "--check")

    assert (5, "faq.yaml\n") == (outcome.code, outcome.out)
    assert "1 of 1 recipe would be laid out otherwise; `finetune fmt` does it\n" == outcome.err
    assert before == recipe.read_text()
    call("fmt")
    assert (0, "") == (call("fmt", "--check").code, call("fmt", "--check").out)


def test_diff_shows_and_writes_nothing(call: Call, recipe: Path) -> None:
    call("fmt", recipe)
    right = recipe.read_text()
    recipe.write_text(right.replace("  question: question\n", "  question: {path: question}\n"))
    outcome = call("fmt", "--diff", "--check")

    assert 5 == outcome.code
    assert [
        "--- a/faq.yaml",
        "+++ b/faq.yaml",
        "-  question: {path: question}",
        "+  question:",
        "+    path: question",
    ] == [line for line in outcome.out.splitlines() if line[0] in "+-"]
    assert "{path" in recipe.read_text()


def test_stdin_to_stdout(call: Call, recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(recipe.read_bytes())))
    outcome = call("fmt", "-")

    assert (0, laid_out(recipe), "") == (outcome.code, outcome.out, outcome.err)


def test_problems_from_stdin_name_it(call: Call, recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"version: 1\nkye: id\n")))
    outcome = call("fmt", "-")

    assert (1, "") == (outcome.code, outcome.out)
    assert "stdin:2:1: $.kye: found an unknown key 'kye'. Did you mean 'key'?\n" == outcome.err


def test_folders_and_several_paths(call: Call, recipe: Path) -> None:
    folder = recipe.with_name("recipes")
    folder.mkdir()
    for name in ("b.yml", "a.yaml"):
        (folder / name).write_text(recipe.read_text())
    (folder / "notes.yaml").write_text("a: {b: c}\n")
    outcome = call("fmt", "--check", folder.name, recipe.name, recipe.name)

    assert (5, "recipes/a.yaml\nrecipes/b.yml\nfaq.yaml\n") == (outcome.code, outcome.out)


def test_one_bad_file_does_not_stop_the_others(call: Call, recipe: Path) -> None:
    """What can be laid out is; all problems are said at once."""
    bad, link = recipe.with_name("bad.yaml"), recipe.with_name("link.yaml")
    bad.write_text("version: 1\nname: a\nname: b\n")
    link.symlink_to(recipe)
    os.mkfifo(recipe.with_name("pipe.yaml"))
    outcome = call("fmt", bad.name, "none.yaml", "pipe.yaml", link.name, recipe.name)

    assert (1, "laid out faq.yaml\n") == (outcome.code, outcome.out)
    assert [
        "1 of 1 recipe laid out",
        "bad.yaml:3:1: $.name: found the key 'name' again (first on line 2), expected each key once. "
        "Remove one.",
        "none.yaml: not found. Give the path of a recipe file.",
        "pipe.yaml: found no regular file, expected one. Save the recipe as one.",
        "link.yaml: found a link, expected a file. Name the file it leads to.",
    ] == outcome.err.splitlines()
    assert link.is_symlink()
    assert "version: 1\nname: a\nname: b\n" == bad.read_text()


def test_a_lockfile_is_no_recipe(call: Call, recipe: Path) -> None:
    outcome = call("fmt", "faq.lock.yaml")

    assert (
        1,
        "nothing to lay out in 0 recipes\nfaq.lock.yaml: found a lockfile, which `finetune run` writes, "
        "expected a recipe. Name the one beside it.\n",
    ) == (outcome.code, outcome.err)


def test_json_has_one_document_with_the_problems_in_it(call: Call, recipe: Path) -> None:
    recipe.with_name("bad.yaml").write_text("version: 2\n")
    outcome = call("fmt", "--check", "--json", "bad.yaml", recipe.name)
    data = json.loads(outcome.out)

    assert (1, "", False) == (outcome.code, outcome.err, data["ok"])
    assert [("faq.yaml", True)] == [(item["file"], item["changed"]) for item in data["recipes"]]
    assert data["recipes"][0]["diff"].startswith("--- a/faq.yaml\n+++ b/faq.yaml\n")
    assert ["bad.yaml"] == [issue["file"] for issue in data["error"]["issues"]]


def test_stdin_among_files_is_refused(call: Call, recipe: Path) -> None:
    outcome = call("fmt", "-", recipe.name)

    assert 2 == outcome.code
    assert "error: found - among other paths, expected stdin or files, not both.\n" == outcome.err
