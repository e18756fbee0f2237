"""Strict YAML: JSON's data model, every value with its position, nothing that surprises a reader."""

import codecs
import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from runner.display import one_line, shown
from runner.hints import LOOKALIKES
from runner.issues import Issue, Place, json_path

Keys = tuple[str | int, ...]
Scalar = str | int | float | bool | None

MAX_BYTES = 1 << 20
MAX_DEPTH = 50
MAX_DIGITS = 20
# Line breaks of YAML 1.1 that editors and reviewers do not see as such, controls, bidirectional controls, and
# the code points that are no characters.
_REFUSED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_UNQUOTED_TEMPLATE = re.compile(r"(^|[:\-,\[]\s+)(\{\{|\{%)")


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something was written; line and column count from 1 and are 0 outside a text file.

    `layer` names what it was laid over a recipe with, such as `profile openai`; empty for the recipe itself.
    """

    line: int
    column: int
    file: str
    layer: str = ""

    @property
    def place(self) -> Place:
        """The position as messages show it."""
        return Place(file=self.file, line=self.line or None, column=self.column or None)

    @property
    def section(self) -> Keys:
        """The keys in its file that lead to what was laid over, such as ("profiles", "openai")."""
        kind, _, name = self.layer.partition(" ")
        return ("profiles", name) if kind == "profile" else ()

    @property
    def origin(self) -> str:
        """The position with its layer, such as `profile openai, recipes/faq.yaml:40`."""
        where = f"{self.file}:{self.line}" if self.line else ""
        return ", ".join(part for part in (self.layer, where) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Parsed YAML: the value, the mark of every value, and the mark of every key, by path."""

    file: str
    value: Any
    marks: dict[Keys, Mark]
    key_marks: dict[Keys, Mark]

    def issue(self, path: Keys, message: str, *, at_key: bool = False) -> Issue:
        """A problem of the value at a path, or of its key, where it was written, such as in a profile."""
        mark = (self.key_marks.get(path) if at_key else None) or self._nearest_mark(path)
        section = mark.section if mark else ()
        place = mark.place if mark else Place(file=self.file)
        return Issue(place=place, path=json_path((*section, *path)), message=message)

    def _nearest_mark(self, path: Keys) -> Mark | None:
        above = (path[:length] for length in range(len(path), -1, -1))
        return next((self.marks[keys] for keys in above if keys in self.marks), None)


@dataclass
class _Builder:
    file: str
    text: str
    marks: dict[Keys, Mark] = field(default_factory=dict)
    key_marks: dict[Keys, Mark] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    def refuse(self, mark: yaml.Mark, path: Keys, message: str) -> None:
        place = Place(file=self.file, line=mark.line + 1, column=mark.column + 1)
        self.issues.append(Issue(place=place, path=json_path(path), message=message))

    def mark(self, node: yaml.Node) -> Mark:
        return Mark(node.start_mark.line + 1, node.start_mark.column + 1, self.file)

    def build(self, node: yaml.Node, path: Keys) -> Any:
        self.marks[path] = self.mark(node)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, path)
        raise AssertionError(f"BUG: a YAML node of type {type(node).__name__}")

    def mapping(self, node: yaml.MappingNode, path: Keys) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node, path)
            if key is None:
                continue
            where = (*path, key)
            if key in result:
                first = self.key_marks[where].line
                self.refuse(
                    key_node.start_mark,
                    where,
                    f"found the key '{one_line(key)}' again (first on line {first}), expected each key once. "
                    "Remove one.",
                )
                continue
            self.key_marks[where] = self.mark(key_node)
            result[key] = self.build(value_node, where)
        return result

    def key(self, node: yaml.Node, path: Keys) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self.refuse(node.start_mark, path, _key_problem(node))
            return None
        if node.value == "<<" and node.style is None:
            self.refuse(
                node.start_mark,
                path,
                "found a merge key `<<`, expected plain keys. Write the values out, or share them with "
                "`extends`.",
            )
            return None
        return str(node.value)

    def scalar(self, node: yaml.ScalarNode, path: Keys) -> Any:
        text: str = node.value
        if node.style is not None:
            return self.quoted(node, text, path)
        try:
            return plain_value(text)
        except OverflowError:
            self.refuse(node.start_mark, path, f"found {shown(text)}, expected a number that fits a float.")
            return None

    def quoted(self, node: yaml.ScalarNode, text: str, path: Keys) -> str:
        unpaired = re.search("[\ud800-\udfff]", text)
        if unpaired:
            self.refuse(
                node.start_mark,
                path,
                f"found half of a surrogate pair (U+{ord(unpaired.group()):04X}), expected a character. "
                "Write the character itself.",
            )
        return text


def parse_yaml(content: bytes, file: str) -> tuple[Document | None, list[Issue]]:
    """Parse strict YAML; `file` is the name used in messages.

    Returns the document, or None where the text cannot be read at all, and every problem found. Refused:
    anchors, aliases, tags, merge keys, repeated keys, more than one document, control characters. Plain
    scalars follow the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema) without octal,
    hexadecimal, infinity and NaN, which stay text.
    """
    text, issues = _decode(content, file)
    if text is None:
        return None, issues
    issues = _refused_events(text, file)
    if issues:
        return None, issues
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        return None, [_syntax_issue(error, text, file)]
    builder = _Builder(file=file, text=text)
    value = builder.build(node, ()) if node is not None else None
    document = Document(file=file, value=value, marks=builder.marks, key_marks=builder.key_marks)
    return document, builder.issues


def read_scalar(text: str) -> Scalar:
    """Read one scalar as it would be read in a file, quoted or plain. Raises ValueError with a sentence."""
    if text[:1] in ('"', "'"):
        document, issues = parse_yaml(text.encode("utf-8", "surrogatepass"), "")
        if document is None or issues or not isinstance(document.value, str):
            raise ValueError(f"found {shown(text)}, expected a closing quote at the end.")
        return document.value
    refused = _REFUSED.search(text)
    if refused:
        raise ValueError(f"found the control character U+{ord(refused.group()):04X}, expected visible text.")
    try:
        return plain_value(text.strip())
    except OverflowError:
        raise ValueError(f"found {shown(text)}, expected a number that fits a float.") from None


def plain_value(text: str) -> Scalar:
    """What an unquoted scalar stands for. Raises OverflowError for a number that no float can hold."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= MAX_DIGITS else text
    if _FLOAT.fullmatch(text):
        value = float(text)
        if math.isinf(value):
            raise OverflowError(text)
        return value
    return text


def is_plain_text(text: str) -> bool:
    """Whether an unquoted scalar would be read back as this text, and not as a number, true or null."""
    typed = text in _NULLS or text in _BOOLEANS or _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text)
    return not typed


def _key_problem(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode) and node.flow_style:
        return "found `{{` outside quotes, which YAML reads as a mapping. Put the whole template in quotes."
    kind = "mapping" if isinstance(node, yaml.MappingNode) else "list"
    return f"found a {kind} as a key, expected text. Put it in quotes."


def _decode(content: bytes, file: str) -> tuple[str | None, list[Issue]]:
    if len(content) > MAX_BYTES:
        message = f"found {len(content)} bytes, expected at most {MAX_BYTES}. Move the data to a source file."
        return None, [Issue(place=Place(file=file), message=message)]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        message = "found UTF-16, expected UTF-8. Save the file as UTF-8."
        return None, [Issue(place=Place(file=file), message=message)]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"found bytes that are not UTF-8 (byte {error.start}). Save the file as UTF-8."
        return None, [Issue(place=Place(file=file, line=line), message=message)]
    if "\0" in text:
        message = "found zero bytes, expected UTF-8 (is it UTF-16?). Save the file as UTF-8."
        return None, [Issue(place=Place(file=file), message=message)]
    issues = []
    for match in _REFUSED.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        column = match.start() - (text.rfind("\n", 0, match.start()) + 1) + 1
        message = f"found the control character U+{ord(match.group()):04X}, expected visible text. Remove it."
        issues.append(Issue(place=Place(file=file, line=line, column=column), message=message))
    return (None if issues else text), issues


def _refused_events(text: str, file: str) -> list[Issue]:
    issues = []
    documents = depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            documents += isinstance(event, yaml.DocumentStartEvent)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            message = _refusal(event, documents, depth)
            mark = event.start_mark
            if message and mark:
                place = Place(file=file, line=mark.line + 1, column=mark.column + 1)
                issues.append(Issue(place=place, message=message))
            if depth > MAX_DEPTH:
                # Read no further: the parser calls itself for each level.
                break
    except yaml.MarkedYAMLError as error:
        issues.append(_syntax_issue(error, text, file))
    return issues


def _refusal(event: yaml.Event, documents: int, depth: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"found nesting deeper than {MAX_DEPTH} levels, expected less. Flatten it."
    if isinstance(event, yaml.DocumentStartEvent) and documents == 2:
        return "found a second YAML document (`---`), expected one. Put it in a file of its own."
    anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
    if isinstance(event, yaml.AliasEvent):
        return f"found the alias `*{anchor}`, expected a value. Write it out, or share it with `extends`."
    if anchor:
        return (
            f"found the anchor `&{anchor}`, expected a plain value. Write it out, or share it with `extends`."
        )
    if tag:
        return f"found the tag `{one_line(str(tag))}`, expected a plain value. Remove the tag."
    return None


def _syntax_issue(error: yaml.MarkedYAMLError, text: str, file: str) -> Issue:
    # A line without its colon is told where it begins, not where the next one does.
    is_key = error.context == "while scanning a simple key"
    mark = (is_key and error.context_mark) or error.problem_mark or error.context_mark
    place = Place(file=file)
    message = f"not valid YAML: {error.problem or error}. Check quotes and indentation here and just above."
    if mark is not None:
        place = Place(file=file, line=mark.line + 1, column=mark.column + 1)
        lines = text.splitlines()
        line = lines[mark.line] if mark.line < len(lines) else ""
        if _UNQUOTED_TEMPLATE.search(line):
            message = "found a Jinja template outside quotes, which YAML cannot read. Put it in quotes."
        elif line[: mark.column + 1].strip(" ").startswith("\t"):
            message = "found a tab in the indentation, expected spaces. Replace it."
        elif lookalike := next((sign for sign in line if sign in LOOKALIKES), None):
            place = Place(file=file, line=mark.line + 1, column=line.index(lookalike) + 1)
            message = (
                f"found U+{ord(lookalike):04X}, which only looks like {LOOKALIKES[lookalike]}, expected "
                "the one of a plain keyboard. Replace it."
            )
    return Issue(place=place, message=message)
