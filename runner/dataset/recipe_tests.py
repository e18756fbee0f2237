"""Tests that a recipe declares: a record, and what the recipe should make of it."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from difflib import ndiff
from unicodedata import normalize

from runner.display import one_line, shown, spelled_out
from runner.examples.confinement import read_confined
from runner.examples.read import Example
from runner.issues import Issue
from runner.recipe.load import LoadedRecipe
from runner.recipe.model import ExpectedMessage, Recipe, RecipeTest
from runner.sources.base import Record

Keys = tuple[str | int, ...]
_SHOWN_LINES = 40


def check_tests(recipe: Recipe) -> Iterator[tuple[Keys, str]]:
    """Every problem of the tests that shows without running them: (path in the recipe, sentence)."""
    variants = [template.name for template in recipe.templates if template.name]
    for index, test in enumerate(recipe.tests):
        at: Keys = ("tests", index)
        if test.key is not None and test.expect.error is not None:
            yield (
                (*at, "expect", "error"),
                "found `error` for a record of the sources, expected `messages` or `skipped`: "
                "a record with an error stops the build. Write the record out under `record`.",
            )
        if test.key is not None and recipe.key is None:
            yield (*at, "key"), "found a key, but the recipe has no `key`. Name what identifies a record."
        if test.variant and test.variant not in variants:
            known = ", ".join(variants) or "none"
            yield (
                (*at, "variant"),
                f"found {shown(test.variant)}, expected a name under `templates` ({known}). Correct it.",
            )
        if variants and not test.variant and test.expect.messages is not None:
            yield at, f"expected `variant`, one of {', '.join(variants)}. Say which template is tested."


def failed_tests(loaded: LoadedRecipe) -> list[Issue]:
    """Run the tests whose record is written out; no source is read."""
    recipe = loaded.recipe
    tests = [(index, test) for index, test in enumerate(recipe.tests) if test.record is not None]
    if not tests:
        return []
    records = tuple(Record(test.record or {}, loaded.document.file, index + 1) for index, test in tests)
    made: dict[int, list[Example | Issue]] = {index: [] for index, _ in tests}
    stray: list[Issue] = []
    with closing(_confined(loaded, recipe, records)) as items:
        for item in items:
            if item.place.row is not None:
                made[item.place.row - 1].append(item)
            elif isinstance(item, Issue):
                stray.append(item)
    return stray or [issue for index, test in tests for issue in _judged(loaded, index, test, made[index])]


def failed_key_tests(loaded: LoadedRecipe) -> list[Issue]:
    """Run the tests of records that the sources have, in one more pass over them."""
    recipe = loaded.recipe
    tests = [(index, test) for index, test in enumerate(recipe.tests) if test.key is not None]
    if not tests:
        return []
    wanted = {test.key for _, test in tests}
    made = _examples_of(loaded, recipe, wanted)
    missing = wanted - made.keys()
    # Without `where` it shows whether a record was left out or is not there.
    left_out = _examples_of(loaded, replace(recipe, where=None), missing) if missing and recipe.where else {}
    failed: list[Issue] = []
    for index, test in tests:
        key = test.key or ""
        if key not in made and key not in left_out:
            message = (
                f"the test {shown(test.name)} found no record with the key {shown(key)}. Correct the key."
            )
            failed.append(loaded.issue(("tests", index, "key"), message))
        else:
            failed += _judged(loaded, index, test, made.get(key, []))
    return failed


def _examples_of(
    loaded: LoadedRecipe, recipe: Recipe, keys: set[str | None]
) -> dict[str, list[Example | Issue]]:
    found: dict[str, list[Example | Issue]] = {}
    with closing(_confined(loaded, recipe, None)) as items:
        for item in items:
            if isinstance(item, Example) and item.key in keys:
                found.setdefault(item.key, []).append(item)
    return found


def _confined(
    loaded: LoadedRecipe, recipe: Recipe, records: tuple[Record, ...] | None
) -> Generator[Example | Issue, None, None]:
    yield from read_confined(recipe, loaded.folder, loaded.project, records=records)


def _judged(
    loaded: LoadedRecipe, index: int, test: RecipeTest, made: Sequence[Example | Issue]
) -> Iterator[Issue]:
    keys: Keys = ("tests", index)
    sentence = _difference(test, made)
    if sentence:
        yield loaded.issue(keys, f"the test {shown(test.name)} failed: {sentence}")


def _difference(test: RecipeTest, made: Sequence[Example | Issue]) -> str:
    expect = test.expect
    issues = [item for item in made if isinstance(item, Issue)]
    examples = [item for item in made if isinstance(item, Example) and item.variant == test.variant]
    if expect.error is not None:
        said = "; ".join(issue.message for issue in issues)
        if expect.error in said:
            return ""
        found = f"another error ({one_line(said, limit=300)})" if issues else _what(made)
        return f"found {found}, expected an error that says {shown(expect.error)}."
    if issues:
        return f"found an error ({one_line(issues[0].message, limit=300)}), expected none."
    if expect.skipped:
        return f"found {_what(made)}, expected the record left out by `where`." if made else ""
    if not examples:
        return f"found {_what(made)}, expected messages."
    return _message_difference(expect.messages or (), examples[0])


def _what(made: Sequence[Example | Issue]) -> str:
    return "an example" if made else "the record left out by `where`"


def _message_difference(expected: Sequence[ExpectedMessage], example: Example) -> str:
    want = [(message.role, message.content) for message in expected]
    have = [(message.role, message.content) for message in example.messages]
    if want == have:
        return ""
    # What differs in its parts alone would be shown as the same.
    write = spelled_out if _looks(want) == _looks(have) else str
    before, after = ([write(line) for line in _lines(turns)] for turns in (want, have))
    lines = [line.rstrip("\n") for line in ndiff(before, after) if not line.startswith("?")]
    shown_lines = [f"    {line}" for line in lines[:_SHOWN_LINES]]
    if len(lines) > _SHOWN_LINES:
        shown_lines.append(f"    … {len(lines) - _SHOWN_LINES} more lines")
    head = "found other messages than expected (- expected, + found). Correct the recipe or the test."
    return "\n".join([head, *shown_lines])


def _looks(turns: Iterable[tuple[str, str]]) -> list[str]:
    return [normalize("NFC", content) for _, content in turns]


def _lines(turns: Iterable[tuple[str, str]]) -> list[str]:
    lines = []
    for role, content in turns:
        first, *rest = content.split("\n")
        lines += [
            f"{role}: {one_line(first, limit=400)}",
            *(f"  {one_line(line, limit=400)}" for line in rest),
        ]
    return lines
