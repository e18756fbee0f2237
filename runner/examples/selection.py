"""Which records of a source come out, how often, and with which record of another source beside them."""

import hashlib
from pathlib import Path

from runner.canonical import sha256_of
from runner.examples.joining import Joiner, load_index
from runner.examples.mapping import identity_text
from runner.examples.paths import PathError, Read, compile_path
from runner.issues import Issue
from runner.project import Project
from runner.recipe.model import Recipe, Source
from runner.sources.base import Record, Select
from runner.sources.read import Opening

Keys = tuple[str | int, ...]


def compile_selectors(
    recipe: Recipe, folder: Path, project: Project, opening: Opening = lambda _: None
) -> dict[int, Select]:
    """What decides about the records of the sources that need it, by the index of the source.

    Reads the sources that others join, and tells `opening` of their files. Raises InvalidInputError with
    their problems.
    """
    read_key = compile_path(recipe.key) if recipe.key is not None else None
    selectors: dict[int, Select] = {}
    for index, source in enumerate(recipe.sources):
        if source.sample is None and source.join is None and source.weight == 1:
            continue
        joiner = None
        if source.join is not None:
            named = next(item for item in recipe.sources if item.name == source.join.source)
            joiner = Joiner(source.join, load_index(source.join, named, folder, project, opening=opening))
        selectors[index] = Selector(source, recipe.key, read_key, joiner)
    return selectors


def check_selection(recipe: Recipe) -> list[tuple[Keys, str]]:
    """Every problem of the paths that joins read: (path in the recipe, sentence)."""
    problems: list[tuple[Keys, str]] = []
    for index, source in enumerate(recipe.sources):
        paths = {"on": source.join.on, "key": source.join.key} if source.join else {}
        for key, path in paths.items():
            try:
                compile_path(path or "x")
            except PathError as error:
                problems.append((("sources", index, "join", key), str(error)))
    return problems


class Selector:
    """Decides about the records of one source."""

    def __init__(self, source: Source, key: str | None, read_key: Read | None, joiner: Joiner | None) -> None:
        self._source = source
        self._key = key
        self._read_key = read_key
        self._joiner = joiner

    def choose(self, record: Record) -> Record | Issue | None:
        """The record as it comes out, None where it is left out, or what is wrong with it."""
        source = self._source
        if source.sample is not None or source.weight != 1:
            identity = self._identity(record)
            sample = source.sample
            if sample is not None and fraction("sample", sample.seed, identity) >= sample.share:
                return None
            copies = n_copies(source.weight, identity)
            if not copies:
                return None
            record = record._replace(copies=copies)
        return self._joiner.join(record) if self._joiner is not None else record

    def end(self) -> Issue | None:
        """What is wrong with the source as a whole, once all of it was read."""
        return self._joiner.end() if self._joiner is not None else None

    def _identity(self, record: Record) -> str:
        if self._read_key is None or self._key is None:
            return sha256_of(record.data)
        try:
            return identity_text(self._read_key(record.data), self._key, record.data)
        except PathError:
            # The example that is made of it says so, with every other problem of the record.
            return ""


def n_copies(weight: float, identity: str) -> int:
    """How often a record counts: the whole part always, once more for the fraction of all records."""
    whole = int(weight)
    return whole + (fraction("weight", 0, identity) < weight - whole)


def fraction(purpose: str, seed: int, identity: str) -> float:
    """A number from 0 to less than 1 that follows from these alone, spread evenly over identities.

    The first 64 bits of sha256; the purpose keeps it independent of the split, which draws the same way.
    """
    digest = hashlib.sha256(f"{purpose}\0{seed}\0{identity}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
