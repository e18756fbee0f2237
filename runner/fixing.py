"""The safe part of what the checks find, repaired: in the recipe where it can say so, else in its data."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path
from tempfile import NamedTemporaryFile

from runner import pipeline
from runner.building import build_unfiltered
from runner.canonical import write_atomically
from runner.dataset.build import counted_examples
from runner.dataset.checks.checker import effective_levels
from runner.dataset.checks.hits import read_hits
from runner.dataset.fix_text import CODES, fixed_text
from runner.dataset.value import Dataset
from runner.dataset.watched import BuildWatch
from runner.display import one_line, spelled_out
from runner.errors import RunnerError
from runner.examples.confinement import read_confined
from runner.examples.read import Example
from runner.operator import Operator
from runner.providers.hosts import find_host
from runner.recipe.choosing import with_one_dataset
from runner.recipe.edit import EditError, set_path, set_trim
from runner.recipe.load import LoadedRecipe
from runner.recipe.model import MessageTemplate, Source
from runner.review.git import find_revision, list_entries
from runner.sources.find import find_source_files
from runner.sources.formats import plain_format
from runner.sources.glob import is_pattern

_MAX_BYTES = 256 << 20
_SHOWN_LINES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A file as it was and as it will be; `target` is where it goes."""

    source: Path
    target: Path
    before: bytes
    after: bytes


@dataclass
class Repairs:
    """What can be repaired, and sentences on what cannot."""

    files: list[Repair] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def diff(self, loaded: LoadedRecipe) -> str:
        """All changes as a unified diff; of a data file the first lines."""
        return "\n".join(line for repair in self.files for line in _diff_lines(repair, loaded))


def find_repairs(path: Path, operator: Operator, *, in_place: bool = False) -> tuple[LoadedRecipe, Repairs]:
    """Work out every safe repair of a recipe and its data; nothing is written.

    With `in_place` a data file is changed where it lies, if git has it as it is. The recipe with all changes
    is built first: one that would stop the build is left out. Raises InvalidInputError, RunnerError.
    """
    loaded = with_one_dataset(pipeline.validate(path, operator), operator.only)
    host = find_host(loaded.recipe.training.provider, operator.user_hosts, loaded.project)
    dataset = build_unfiltered(loaded, host, effort=operator.effort)
    levels = effective_levels(loaded.recipe.checks)
    found = {hit.code for hit, _ in read_hits(dataset.hits_path) if levels[hit.code] != "off"}
    repairs = Repairs()
    text = loaded.path.read_bytes().decode("utf-8")
    edited = text
    if "FT206" in found:
        edited = _trimmed(loaded, edited, repairs, operator.watch)
    codes = found & set(CODES)
    if codes:
        edited = _repair_sources(
            loaded, edited, codes, repairs, _Committed(loaded, operator, wanted=in_place)
        )
    if edited != text:
        before, after = text.encode("utf-8"), edited.encode("utf-8")
        repairs.files.insert(0, Repair(source=loaded.path, target=loaded.path, before=before, after=after))
    return loaded, repairs


def apply_repairs(loaded: LoadedRecipe, repairs: Repairs, operator: Operator) -> None:
    """Write the repaired files, data first, after a build of the result. Raises RunnerError."""
    data = [repair for repair in repairs.files if repair.target != loaded.path]
    recipe = next((repair for repair in repairs.files if repair.target == loaded.path), None)
    for repair in data:
        if repair.target.exists() and repair.target.read_bytes() not in (repair.before, repair.after):
            raise RunnerError(
                f"{repair.target}: found another file, expected none. Move it away, or use --in-place."
            )
    written: list[Repair] = []
    try:
        for repair in data:
            write_atomically(repair.target, repair.after)
            written.append(repair)
        _try(loaded, recipe, operator)
    except RunnerError as error:
        for repair in written:
            _take_back(repair)
        raise RunnerError(f"the repaired recipe would not build, so nothing was changed. {error}") from error
    if recipe is not None:
        write_atomically(recipe.target, recipe.after)


def _try(loaded: LoadedRecipe, recipe: Repair | None, operator: Operator) -> Dataset:
    """Build the recipe as it would be, under another name beside it. Raises InvalidInputError."""
    content = recipe.after if recipe else loaded.path.read_bytes()
    with NamedTemporaryFile(dir=loaded.folder, prefix=".fixing.", suffix=".yaml") as stream:
        stream.write(content)
        stream.flush()
        tried = with_one_dataset(pipeline.validate(Path(stream.name), operator), operator.only)
        host = find_host(tried.recipe.training.provider, operator.user_hosts, tried.project)
        return build_unfiltered(tried, host, effort=operator.effort)


def _take_back(repair: Repair) -> None:
    if repair.target == repair.source:
        write_atomically(repair.target, repair.before)
    else:
        repair.target.unlink(missing_ok=True)


def _trimmed(loaded: LoadedRecipe, text: str, repairs: Repairs, watch: BuildWatch) -> str:
    for name in _untidy_fields(loaded, watch):
        try:
            text = set_trim(text, name)
        except EditError as error:
            repairs.notes.append(f"field {name}: {error}; set `trim: true` by hand.")
    return text


def _untidy_fields(loaded: LoadedRecipe, watch: BuildWatch) -> list[str]:
    """The fields that bring white space to the ends of messages, in the order of the recipe."""
    edges = dict(_edge_fields(loaded))
    found: set[str] = set()
    for example in _examples(loaded, watch):
        for number, message in enumerate(example.messages):
            text = message.content
            if text[:1].isspace():
                found.add(edges.get((example.variant, number, "begins"), ""))
            if text[-1:].isspace():
                found.add(edges.get((example.variant, number, "ends"), ""))
    return [item.name for item in loaded.recipe.fields if item.name in found and not item.trim]


def _edge_fields(loaded: LoadedRecipe) -> Iterator[tuple[tuple[str, int, str], str]]:
    """Which field stands at which end of which message of which template, where it stands there alone."""
    names = {f"{{{{ {item.name} }}}}": item.name for item in loaded.recipe.fields}
    for template in loaded.recipe.templates:
        for number, message in enumerate(template.messages):
            if not isinstance(message, MessageTemplate):
                # A list makes any number of messages: those after it have no number of their own.
                break
            content = (message.content or "").removesuffix("\n")
            for written, name in names.items():
                if content.startswith(written):
                    yield (template.name, number, "begins"), name
                if content.endswith(written):
                    yield (template.name, number, "ends"), name


def _examples(loaded: LoadedRecipe, watch: BuildWatch) -> Iterator[Example]:
    watch.begin(None, "repairing")
    try:
        with closing(read_confined(loaded.recipe, loaded.folder, loaded.project)) as items:
            for item in counted_examples(items, watch):
                if isinstance(item, Example):
                    yield item
    finally:
        watch.end()


@dataclass
class _Committed:
    """Which files git has just as they are, so that nothing is lost when they change in place."""

    loaded: LoadedRecipe
    operator: Operator
    wanted: bool

    def has(self, path: Path) -> bool:
        revision = find_revision(path.parent, "HEAD", self.operator.environment)
        name = path.resolve().relative_to(revision.root).as_posix()
        blob = next((entry.blob for entry in list_entries(revision) if entry.path == name), "")
        content = path.read_bytes()
        make = hashlib.sha256 if len(blob) == 64 else hashlib.sha1
        return make(b"blob %d\0" % len(content) + content).hexdigest() == blob


def _repair_sources(
    loaded: LoadedRecipe, text: str, codes: set[str], repairs: Repairs, committed: _Committed
) -> str:
    has_pattern = any(is_pattern(source.path) for source in loaded.recipe.sources)
    for index, source in enumerate(loaded.recipe.sources):
        if not source.path:
            repairs.notes.append(f"sources[{index}]: only files of the project can be repaired.")
            continue
        if has_pattern and not committed.wanted:
            repairs.notes.append(
                f"{source.path}: a copy beside a pattern would be read twice; use --in-place."
            )
            continue
        for file in find_source_files(source, loaded.folder, loaded.project):
            repair = _repaired(file, source, codes, repairs)
            if repair is None:
                continue
            if not committed.wanted:
                text = _pointed_at(text, index, source, repair, repairs)
            elif committed.has(repair.source):
                repairs.files.append(
                    Repair(
                        source=repair.source, target=repair.source, before=repair.before, after=repair.after
                    )
                )
            else:
                repairs.notes.append(f"{source.path}: git does not have it as it is; commit it first.")
    return text


def _pointed_at(text: str, index: int, source: Source, repair: Repair, repairs: Repairs) -> str:
    name = str(Path(source.path).with_name(repair.target.name).as_posix())
    try:
        text = set_path(text, ("sources", index, "path"), name)
    except EditError as error:
        repairs.notes.append(f"sources[{index}].path: {error}; set it to {name} by hand.")
    repairs.files.append(repair)
    return text


def _repaired(path: Path, source: Source, codes: set[str], repairs: Repairs) -> Repair | None:
    form = plain_format(path, source)
    if form not in ("json", "jsonl", "csv", "tsv") or path.stat().st_size > _MAX_BYTES:
        repairs.notes.append(f"{source.path}: found no text file of a format that can be repaired here.")
        return None
    before = path.read_bytes()
    try:
        after = fixed_text(before.decode(source.encoding), form, codes).encode(source.encoding)
    except UnicodeError as error:
        repairs.notes.append(f"{source.path}: cannot be written as {source.encoding} ({error}).")
        return None
    if after == before:
        return None
    return Repair(
        source=path, target=path.with_name(f"{path.stem}.fixed{path.suffix}"), before=before, after=after
    )


def _diff_lines(repair: Repair, loaded: LoadedRecipe) -> Iterator[str]:
    old, new = (loaded.project.name_of(path) for path in (repair.source, repair.target))
    before, after = (
        content.decode("utf-8", "replace").split("\n") for content in (repair.before, repair.after)
    )
    if repair.target == loaded.path or len(before) != len(after):
        lines = list(unified_diff(before, after, old, new, lineterm="", n=1))
    else:
        lines = [f"--- {old}", f"+++ {new}", *_pairs(before, after)]
    yield from (one_line(spelled_out(line), limit=200) for line in lines[:_SHOWN_LINES])
    if len(lines) > _SHOWN_LINES:
        yield f"… {len(lines) - _SHOWN_LINES} more lines"


def _pairs(before: list[str], after: list[str]) -> Iterator[str]:
    """Line by line, since repairs touch many and move none."""
    for number, (old, new) in enumerate(zip(before, after, strict=True), start=1):
        if old != new:
            yield from (f"@@ {number} @@", f"-{old}", f"+{new}")
