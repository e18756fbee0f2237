"""Tests that a recipe declares, run in the confined process."""

import json
from pathlib import Path

import pytest

from runner.dataset.recipe_tests import check_tests, failed_key_tests, failed_tests
from runner.recipe.load import LoadedRecipe, load_recipe

RECIPE = """\
version: 1
name: faq
sources: [{path: faq.jsonl}]
key: id
fields: {q: q, a: {path: a, trim: true}}
where: a != ''
template:
  messages:
    - {role: user, content: "{{ q }} 알려줘."}
    - {role: assistant, content: "{{ a }}"}
training: {model: tiny-1}
tests:
"""
RECORDS = [{"id": "1", "q": "요금", "a": "월 3,000원\n연 30,000원"}, {"id": "2", "q": "해지", "a": ""}]


def loaded(project: Path, tests: str) -> LoadedRecipe:
    (project / "faq.jsonl").write_text("\n".join(json.dumps(record) for record in RECORDS) + "\n")
    path = project / "faq.yaml"
    path.write_text(RECIPE + tests, encoding="utf-8")
    return load_recipe(path)


def said(recipe: LoadedRecipe) -> list[str]:
    return [str(issue) for issue in (*failed_tests(recipe), *failed_key_tests(recipe))]


@pytest.mark.parametrize(
    "test",
    [
        "record: {id: x, q: 요금, a: ' 싸요 '}, expect: {messages: [{role: user, content: 요금 알려줘.}, "
        "{role: assistant, content: 싸요}]}",
        "record: {id: x, q: 요금, a: ''}, expect: {skipped: true}",
        "record: {id: x, q: 요금}, expect: {error: \"found nothing at 'a'\"}",
        "record: {q: 요금, a: 싸요}, expect: {error: \"found nothing at 'id'\"}",
        'key: "1", expect: {messages: [{role: user, content: 요금 알려줘.}, '
        '{role: assistant, content: "월 3,000원\\n연 30,000원"}]}',
        'key: "2", expect: {skipped: true}',
    ],
)
def test_what_is_as_expected_passes(project: Path, test: str) -> None:
    assert [] == said(loaded(project, f"  - {{name: t, {test}}}\n"))


def test_a_failure_shows_the_messages_line_by_line(project: Path) -> None:
    tests = """\
  - name: 요금 안내
    key: "1"
    expect:
      messages:
        - {role: user, content: 요금 알려줘.}
        - {role: assistant, content: "월 3,000원\\n연 36,000원"}
"""

    assert [
        "faq.yaml:13:5: $.tests[0]: the test '요금 안내' failed: found other messages than expected "
        "(- expected, + found). Correct the recipe or the test.\n"
        "      user: 요금 알려줘.\n"
        "      assistant: 월 3,000원\n"
        "    -   연 36,000원\n"
        "    +   연 30,000원"
    ] == said(loaded(project, tests))


@pytest.mark.parametrize(
    ("test", "sentence"),
    [
        (
            "record: {id: x, q: 요금, a: 싸요}, expect: {skipped: true}",
            "$.tests[0]: the test 't' failed: found an example, expected the record left out by `where`.",
        ),
        (
            "record: {id: x, q: 요금, a: ''}, expect: {messages: [{role: user, content: x}]}",
            "$.tests[0]: the test 't' failed: found the record left out by `where`, expected messages.",
        ),
        (
            "record: {id: x, q: 요금, a: 싸요}, expect: {error: nothing}",
            "$.tests[0]: the test 't' failed: found an example, expected an error that says 'nothing'.",
        ),
        (
            'key: "1", expect: {skipped: true}',
            "$.tests[0]: the test 't' failed: found an example, expected the record left out by `where`.",
        ),
        (
            'key: "3", expect: {skipped: true}',
            "$.tests[0].key: the test 't' found no record with the key '3'. Correct the key.",
        ),
    ],
)
def test_a_failure_says_what_was_found(project: Path, test: str, sentence: str) -> None:
    [found] = said(loaded(project, f"  - {{name: t, {test}}}\n"))

    assert found.split(": ", 1)[1] == sentence


def test_an_unexpected_error_is_quoted(project: Path) -> None:
    [found] = said(loaded(project, "  - {name: t, record: {id: x}, expect: {skipped: true}}\n"))

    assert (
        "faq.yaml:13:5: $.tests[0]: the test 't' failed: found an error (field 'q': found nothing at 'q', "
        "expected a value. The record has 'id'.), expected none." == found
    )


def test_records_of_tests_may_share_a_key(project: Path) -> None:
    """They stand for themselves; only the sources' keys have to differ."""
    one = "  - {name: t, record: {id: x, q: 요금, a: ''}, expect: {skipped: true}}\n"

    assert [] == said(loaded(project, one + one))


def test_what_cannot_be_tested_is_a_problem_of_the_recipe(project: Path) -> None:
    recipe = loaded(
        project,
        '  - {name: t, key: "1", expect: {error: x}}\n'
        "  - {name: t, variant: v, record: {id: x}, expect: {skipped: true}}\n",
    )

    assert [
        (
            ("tests", 0, "expect", "error"),
            "found `error` for a record of the sources, expected `messages` or `skipped`: a record with an "
            "error stops the build. Write the record out under `record`.",
        ),
        (
            ("tests", 1, "variant"),
            "found 'v', expected a name under `templates` (none). Correct it.",
        ),
    ] == list(check_tests(recipe.recipe))
