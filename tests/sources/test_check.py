"""What is wrong with sources before any data is read."""

from typing import Any

import pytest

from runner.recipe.parse import parse_recipe
from runner.sources.check import check_sources

SHA = "0" * 64
COMMIT = "a" * 40


def problems(*sources: dict[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
    recipe = parse_recipe(
        {
            "name": "test",
            "sources": list(sources),
            "fields": {"a": "a"},
            "template": {"messages": [{"role": "user", "content": "x"}]},
            "training": {"model": "tiny-1"},
        }
    )
    return check_sources(recipe)


@pytest.mark.parametrize(
    "source",
    [
        {"path": "a.json"},
        {"path": "-", "name": "faq", "format": "jsonl"},
        {"url": "https://example.com/a.jsonl?x=1", "sha256": SHA},
        {"url": "s3://bucket/a%20b.jsonl", "sha256": SHA},
        {"hub": "org/name", "revision": COMMIT, "files": "data/*.parquet"},
        {"path": "a.sqlite", "query": "SELECT 1 ORDER BY 1"},
    ],
)
def test_sources_without_problems(source: dict[str, Any]) -> None:
    assert [] == problems(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            {},
            [
                "found no `path`, `url`, `hub` or `tables`, expected one: where the records come "
                "from. Add one."
            ],
        ),
        (
            {"path": "a.json", "url": "https://example.com/a.json", "sha256": SHA},
            ["found `path` and `url`, expected only one of them. Keep one."],
        ),
        (
            {"url": "https://example.com/a.json"},
            ["found `url` without `sha256`, expected both. Add `sha256`."],
        ),
        (
            {"hub": "org/name"},
            [
                "found `hub` without `revision`, expected both. Add `revision`.",
                "found `hub` without `files`, expected both. Add `files`.",
            ],
        ),
        (
            {"path": "a.json", "sha256": SHA, "revision": COMMIT},
            [
                "found `sha256` without `url`, which it belongs to. Remove it.",
                "found `revision` without `hub`, which it belongs to. Remove it.",
            ],
        ),
        (
            {"path": "a.db", "query": "SELECT 1 ORDER BY 1", "table": "t"},
            ["found `query` and `table`, expected only one of them. Keep one."],
        ),
        (
            {"hub": "org/name", "revision": COMMIT, "files": "../x"},
            ["`files`: found '../x', expected a file or glob of the dataset. Change it."],
        ),
        (
            {"url": "ftp://example.com/a.json", "sha256": SHA},
            [
                "`url`: found 'ftp://example.com/a.json', expected an address that begins with one of "
                "az, gs, http, https, s3://."
            ],
        ),
        (
            {"url": "https://user:secret@example.com/a.json", "sha256": SHA},
            ["`url`: found a user name or password, expected none: recipes hold no secrets. Remove it."],
        ),
        (
            {"url": "https://example.com/a b", "sha256": SHA},
            ["`url`: found a space or control character, expected a URL. Write it as %20 and the like."],
        ),
        (
            {"url": "s3://bucket/a.zip::file:///etc/passwd", "sha256": SHA},
            [
                "`url`: found 's3://bucket/a.zip::file:///etc/passwd', expected s3://BUCKET/KEY and nothing "
                "else. Correct it."
            ],
        ),
        (
            {"url": "https://example.com:http/a.json", "sha256": SHA},
            [
                "`url`: found 'https://example.com:http/a.json' (Port could not be cast to integer value as "
                "'http'), expected a URL. Correct it."
            ],
        ),
    ],
)
def test_where_records_come_from(source: dict[str, Any], expected: list[str]) -> None:
    assert [(("sources", 0), message) for message in expected] == problems(source)


def test_names_and_references() -> None:
    assert [
        (("sources", 1, "name"), "found the name 'a' twice, expected each once. Rename one."),
        (("sources", 2, "join", "source"), "found 'b', expected the `name` of a source. Known here: a, c."),
        (("sources", 3, "tables", 1), "found 'aa', expected the `name` of a source. Did you mean 'a'?"),
        (("sources", 4), "found `format` beside `tables`, which have their own. Remove it."),
        (("sources", 4, "tables", 0), "found 'c', which is a query itself, expected files. Change it."),
    ] == problems(
        {"path": "a.json", "name": "a"},
        {"path": "b.json", "name": "a"},
        {"path": "c.json", "join": {"source": "b", "on": "id"}},
        {"name": "c", "tables": ["a", "aa"], "query": "SELECT 1 ORDER BY 1"},
        {"tables": ["c"], "query": "SELECT 1 ORDER BY 1", "format": "csv"},
    )


def test_joins() -> None:
    assert [
        (
            ("sources", 0, "weight"),
            "found `weight` on a source that another one reads whole. Remove it.",
        ),
        (
            ("sources", 2, "join", "source"),
            "found 'b', which joins another source itself, expected one that does not. "
            "Use a `query` over all three.",
        ),
        (("sources", 3, "join", "source"), "found the source itself, expected another one. Change it."),
    ] == problems(
        {"path": "a.json", "name": "a", "weight": 2},
        {"path": "b.json", "name": "b", "join": {"source": "a", "on": "id"}},
        {"path": "c.json", "join": {"source": "b", "on": "id"}},
        {"path": "d.json", "name": "d", "join": {"source": "d", "on": "id"}},
    )


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/etc/passwd", "found an absolute path, expected one relative to the recipe. Change it."),
        ("~/faq.csv", "found an absolute path, expected one relative to the recipe. Change it."),
        ("s3://b/faq.csv", "found an address, expected a path. Write it as `url`, with its `sha256`."),
    ],
)
def test_a_path_is_judged_as_it_is_written(path: str, problem: str) -> None:
    """Before anything is looked for."""
    assert [(("sources", 0, "path"), f"{path}: {problem}")] == problems({"path": path})
