"""Every problem of a recipe's sources that shows without data."""

from collections.abc import Iterable, Iterator, Mapping

from runner.display import one_line, shown
from runner.hints import did_you_mean
from runner.recipe.model import Recipe, Source
from runner.sources.addresses import url_problem
from runner.sources.find import looked_up, path_problem
from runner.sources.stored import GIVEN

Keys = tuple[str | int, ...]

_PLAIN = Source()
# What each way to name data needs beside it, and what belongs to no other way.
_NEEDS = {"url": ("sha256",), "hub": ("revision", "files"), "tables": ("query",)}
_OF_FILES = ("format", "records", "delimiter", "sheet", "member")
_BELONGS = {"sha256": "url", "revision": "hub", "files": "hub"}


def check_sources(recipe: Recipe) -> list[tuple[Keys, str]]:
    """Every problem of the sources: (path in the recipe, sentence)."""
    problems: list[tuple[Keys, str]] = []
    names = [source.name for source in recipe.sources]
    for index, source in enumerate(recipe.sources):
        at: Keys = ("sources", index)
        problems += ((at, sentence) for sentence in _origin_problems(source))
        if source.name is not None and source.name in names[:index]:
            message = f"found the name {shown(source.name)} twice, expected each once. Rename one."
            problems.append(((*at, "name"), message))
        if problem := path_problem(source.path):
            problems.append(((*at, "path"), f"{one_line(source.path, limit=200)}: {problem}"))
        problems += (((*at, *keys), text) for keys, text in _reference_problems(source, recipe))
    return problems


def _origin_problems(source: Source) -> Iterator[str]:
    ways = [way for way in ("url", "hub", "tables") if getattr(source, way)]
    if source.path:
        ways.insert(0, "path")
    if not ways:
        yield "found no `path`, `url`, `hub` or `tables`, expected one: where the records come from. Add one."
    elif len(ways) > 1:
        yield f"found {' and '.join(f'`{way}`' for way in ways)}, expected only one of them. Keep one."
    for way in ways:
        missing = [key for key in _NEEDS.get(way, ()) if not getattr(source, key)]
        yield from (f"found `{way}` without `{key}`, expected both. Add `{key}`." for key in missing)
    for key, way in _BELONGS.items():
        if getattr(source, key) and not getattr(source, way):
            yield f"found `{key}` without `{way}`, which it belongs to. Remove it."
    yield from _key_problems(source)


def _key_problems(source: Source) -> Iterator[str]:
    if source.query is not None and source.table is not None:
        yield "found `query` and `table`, expected only one of them. Keep one."
    if source.tables:
        unused = [key for key in _OF_FILES if getattr(source, key)]
        yield from (f"found `{key}` beside `tables`, which have their own. Remove it." for key in unused)
    if source.url is not None and (problem := url_problem(source.url)):
        yield f"`url`: {problem}"
    files = source.files or ""
    if files.startswith("/") or ".." in files.split("/"):
        yield f"`files`: found {shown(files)}, expected a file or glob of the dataset. Change it."
    if source.path == GIVEN and (source.name is None or source.format is None):
        yield "found data from the command line without `name` and `format`, expected both. Add them."


def _reference_problems(source: Source, recipe: Recipe) -> Iterator[tuple[Keys, str]]:
    others = {other.name: other for other in recipe.sources if other.name is not None}
    for index, name in enumerate(source.tables):
        other = others.get(name)
        if other is None:
            yield ("tables", index), _unknown(name, others)
        elif other.tables:
            message = f"found {shown(name)}, which is a query itself, expected files. Change it."
            yield ("tables", index), message
    if source.name in looked_up(recipe.sources):
        for key in ("limit", "sample", "weight"):
            if getattr(source, key) != getattr(_PLAIN, key):
                yield (key,), f"found `{key}` on a source that another one reads whole. Remove it."
    if source.join is not None and (message := _join_problem(source, source.join.source, others)):
        yield ("join", "source"), message


def _join_problem(source: Source, name: str, others: Mapping[str, Source]) -> str:
    other = others.get(name)
    if other is None:
        return _unknown(name, others)
    if other is source:
        return "found the source itself, expected another one. Change it."
    if other.join is not None:
        return (
            f"found {shown(name)}, which joins another source itself, expected one that does not. "
            "Use a `query` over all three."
        )
    return ""


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"found {shown(name)}, expected the `name` of a source. {did_you_mean(name, known)}".rstrip()
