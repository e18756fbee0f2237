"""What the confined process and its parent tell each other: JSON, never pickle."""

import json
import mmap
import os
import struct
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from runner.canonical import canonical_json
from runner.examples.bounds import Bounds as Bounds
from runner.examples.read import Example, Message
from runner.issues import Issue, Place, Severity
from runner.project import Grants, Project
from runner.recipe.model import (
    PARTS,
    Checks,
    Expectation,
    ExpectedMessage,
    Field,
    Hyperparameters,
    Ignore,
    Limits,
    MessageList,
    MessageTemplate,
    Recipe,
    RecipeTest,
    Split,
    Template,
    Training,
)
from runner.recipe.parse import source_from_dict
from runner.sources.base import Record

END = b"{}\n"

# Made once: `json.dumps` makes one per call when it is given options.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the confined process has to read, and within which bounds; `records` stand for the sources.

    `with_fields` asks for the fields of the examples too, `only_issues` for no examples at all.
    """

    recipe: Recipe
    folder: Path
    project: Project
    bounds: Bounds
    records: tuple[Record, ...] | None = None
    with_fields: bool = False
    only_issues: bool = False


def encode_request(request: Request) -> bytes:
    """A request as JSON."""
    return canonical_json(
        {
            "recipe": asdict(request.recipe),
            "folder": _path_text(request.folder),
            "root": _path_text(request.project.root),
            "grants": _encode_grants(request.project.grants),
            "bounds": asdict(request.bounds),
            "records": None if request.records is None else request.records,
            "with_fields": request.with_fields,
            "only_issues": request.only_issues,
        }
    )


def decode_request(content: bytes) -> Request:
    """The request that was encoded."""
    value = json.loads(content)
    records = value["records"]
    return Request(
        recipe=recipe_from_dict(value["recipe"]),
        folder=_path_of(value["folder"]),
        project=Project(root=_path_of(value["root"]), grants=_decode_grants(value["grants"])),
        bounds=Bounds(**value["bounds"]),
        records=None if records is None else tuple(Record(*item) for item in records),
        with_fields=value["with_fields"],
        only_issues=value["only_issues"],
    )


def _path_text(path: Path) -> str:
    """The bytes of a path, which need not be text in this process's encoding, as text that JSON can carry."""
    return os.fsencode(path).decode("latin-1")


def _path_of(text: str) -> Path:
    return Path(os.fsdecode(text.encode("latin-1")))


def _encode_grants(grants: Grants) -> dict[str, Any]:
    return {
        "folders": [_path_text(folder) for folder in grants.folders],
        "max_unpacked_bytes": grants.max_unpacked_bytes,
        "files": [[name, _path_text(path)] for name, path in grants.files],
    }


def _decode_grants(value: dict[str, Any]) -> Grants:
    return Grants(
        folders=tuple(_path_of(folder) for folder in value["folders"]),
        max_unpacked_bytes=value["max_unpacked_bytes"],
        files=tuple((name, _path_of(path)) for name, path in value["files"]),
    )


def recipe_from_dict(value: dict[str, Any]) -> Recipe:
    """The recipe that `dataclasses.asdict` took apart and JSON carried."""
    rest = {key: value[key] for key in ("name", "description", "key", "where")}
    training = dict(value["training"])
    return Recipe(
        sources=tuple(source_from_dict(source) for source in value["sources"]),
        fields=tuple(Field(**field) for field in value["fields"]),
        templates=tuple(_template(template) for template in value["templates"]),
        split=Split(**value["split"]),
        training=Training(hyperparameters=Hyperparameters(**training.pop("hyperparameters")), **training),
        limits=Limits(**value["limits"]),
        checks=_checks(value["checks"]),
        tests=tuple(_test(test) for test in value["tests"]),
        **rest,
    )


def _template(value: dict[str, Any]) -> Template:
    roles = tuple((name, role) for name, role in value["roles"])
    parts = {part: tuple(_message(item) for item in value[part]) for part in PARTS}
    return Template(**{**value, **parts, "roles": roles, "item": tuple(value["item"])})


def _message(value: dict[str, Any]) -> MessageTemplate | MessageList:
    if "from_field" not in value:
        return MessageTemplate(**value)
    roles = tuple((name, role) for name, role in value["roles"])
    lists = {name: tuple(value[name]) for name in ("keep", "speakers")}
    return MessageList(**{**value, **lists, "roles": roles})


def _checks(value: dict[str, Any]) -> Checks:
    levels = tuple((code, level) for code, level in value["levels"])
    ignore = tuple(Ignore(**{**item, "records": tuple(item["records"])}) for item in value["ignore"])
    return Checks(**{**value, "levels": levels, "ignore": ignore})


def _test(value: dict[str, Any]) -> RecipeTest:
    expect = value["expect"]
    messages = expect["messages"]
    if messages is not None:
        messages = tuple(ExpectedMessage(**message) for message in messages)
    return RecipeTest(**{**value, "expect": Expectation(**{**expect, "messages": messages})})


def encode_item(item: Example | Issue, *, with_fields: bool = False) -> bytes:
    """An example or an issue as one line of JSON."""
    if isinstance(item, Issue):
        return json.dumps({"issue": asdict(item)}).encode("ascii") + b"\n"
    messages = [(message.role, message.content) for message in item.messages]
    # In ASCII: a field that no template uses may hold what is no text in UTF-8.
    fields = json.dumps(item.fields) if with_fields else None
    line = json.dumps(item.line) if item.line is not None else None
    value = (item.key, item.group, item.variant, messages, item.file, item.row, item.ignored, fields, line)
    return _ENCODER.encode({"example": value}).encode("utf-8") + b"\n"


def decode_item(line: bytes) -> Example | Issue:
    """The example or issue of a line."""
    value = json.loads(line)
    if "issue" in value:
        issue = value["issue"]
        place, severity = Place(**issue.pop("place")), Severity(issue.pop("severity"))
        return Issue(place=place, severity=severity, **issue)
    key, group, variant, messages, file, row, ignored, fields, line = value["example"]
    return Example(
        key=key,
        group=group,
        variant=variant,
        messages=tuple(Message(role, content) for role, content in messages),
        file=file,
        row=row,
        ignored=tuple(ignored),
        line=None if line is None else json.loads(line),
        fields=None if fields is None else json.loads(fields),
    )


class Phase(IntEnum):
    """What the confined process was doing when it was last heard of."""

    STARTING = 0
    READING = 1
    WORKING = 2


class Position:
    """A few bytes of memory that both processes see: they tell which record a process died on."""

    SIZE_BYTES = 4_096
    _HEAD = struct.Struct("<BQH")

    def __init__(self, handle: int) -> None:
        self._memory = mmap.mmap(handle, self.SIZE_BYTES)
        self._file = ""

    def note(self, what: Record | str | None) -> None:
        """Say that a record is worked on, that a file is opened, or with None that the next is being read."""
        if what is None:
            self._memory[0] = Phase.READING
            return
        file, row, phase = (
            (what.file, what.row, Phase.WORKING) if isinstance(what, Record) else (what, 0, Phase.READING)
        )
        name = file.encode("utf-8", "replace")[: self.SIZE_BYTES - self._HEAD.size]
        if file != self._file:
            self._memory[self._HEAD.size : self._HEAD.size + len(name)] = name
            self._file = file
        self._HEAD.pack_into(self._memory, 0, phase, row, len(name))

    def read(self) -> tuple[Phase, Place | None]:
        """What was noted last: the record that was worked on, or else the file that was opened, if any."""
        phase, row, length = self._HEAD.unpack_from(self._memory, 0)
        name = self._memory[self._HEAD.size : self._HEAD.size + length].decode("utf-8", "replace")
        return Phase(phase), Place(file=name, row=row or None) if name else None

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()
