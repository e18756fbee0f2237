"""A YAML file as it is written: every entry with its own text and the comments and blank lines around it."""

import json
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

BLANK = ""
_BLOCK_HEADER = re.compile(r"(?P<style>[|>])(?P<indicators>[-+1-9]*)(?P<comment>\s+#.*)?\s*")
# Editors read these lines, so they stand at the top of the file whatever key comes first.
_MODELINE = re.compile(r"#\s*(yaml-language-server:|-\*-|vi:|vim:)")

# Other readers of YAML take some words for truth values or null.
_PLAIN_KEY = re.compile(r"(?!(?i:true|false|null|yes|no|on|off|y|n)\b)[A-Za-z_][A-Za-z0-9_]*")


@dataclass(kw_only=True)
class Text:
    """A value on one line or more; `lines` after the first are printed below the key.

    The lines of a block scalar have lost their indentation; a flow scalar's are folded by YAML anyway.
    """

    lines: list[str]
    is_block: bool = False
    keeps_breaks: bool = False


@dataclass(kw_only=True)
class Collection:
    """A mapping or list; `tail` is what stands below its last entry."""

    is_mapping: bool
    entries: "list[Entry]" = field(default_factory=list)
    tail: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Entry:
    """An item of a list, or with `key`, its text, and `name`, its meaning, one of a mapping."""

    value: Text | Collection
    key: str = ""
    name: str = ""
    leading: list[str] = field(default_factory=list)
    trailing: str = ""


@dataclass(kw_only=True)
class Written:
    """A file: what stands above its first entry and stays there, and its entries."""

    header: list[str]
    root: Collection


@dataclass(frozen=True, slots=True)
class _Trivia:
    """A comment, or with empty text a blank line."""

    index: int
    column: int
    text: str
    gap: str
    is_alone: bool


def read_written(text: str) -> Written:
    """Read a file that `parse_yaml` takes and that holds a mapping."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        raise AssertionError("BUG: only a mapping can be laid out")
    reader = _Reader(text)
    header = reader.before(_document_start(text))
    root = reader.collection(node, parent_column=-1)
    root.tail += reader.before(len(text))
    first = root.entries[0].leading if root.entries else []
    split = _header_length(first)
    header += [BLANK, *first[:split]] if header else first[:split]
    del first[:split]
    return Written(header=header, root=root)


def comments_of(text: str) -> list[str]:
    """The comments of a file, in an order that moving entries does not change."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return sorted(item.text for item in _trivia(text, _tokens(text)) if item.text)


class _Reader:
    """Walks the nodes in the order of the file and gives every comment to the entry it belongs to."""

    def __init__(self, text: str) -> None:
        self.text = text
        spans = _tokens(text)
        self.starts = [start for start, _ in spans]
        self.trivia = _trivia(text, spans)
        self.position = 0
        # A block scalar's token takes the blank lines below it along.
        self.pending: list[str] = []

    def collection(self, node: yaml.CollectionNode, *, parent_column: int) -> Collection:
        made = Collection(is_mapping=isinstance(node, yaml.MappingNode))
        column = node.start_mark.column
        for item in node.value:
            key, value = item if isinstance(node, yaml.MappingNode) else (None, item)
            made.entries.append(self.entry(key, value, node, column))
        if node.flow_style:
            made.tail += self.before(node.end_mark.index - 1)
        elif column > parent_column:
            made.tail += self.below(column, node.end_mark.index)
        return made

    def entry(
        self, key: yaml.ScalarNode | None, value: yaml.Node, parent: yaml.CollectionNode, column: int
    ) -> Entry:
        start = key.start_mark.index if key is not None else self.item_start(value, parent)
        leading = self.before(start)
        same_line = self.same_line(value.start_mark.index)
        if isinstance(value, yaml.CollectionNode) and value.flow_style:
            same_line += self.same_line(self.next_start(value.start_mark.index + 1))
        if isinstance(value, yaml.CollectionNode) and value.value:
            made: Text | Collection = self.collection(value, parent_column=column)
        else:
            leading += self.before(value.start_mark.index)
            made = self.scalar(value, column)
        same_line += self.same_line(
            self.next_start(value.end_mark.index, skips_comma=bool(parent.flow_style))
        )
        # A list's item that is a collection has no line of its own, a block scalar only its head.
        has_line = not made.is_block if isinstance(made, Text) else key is not None
        trailing = same_line.pop() if same_line and has_line else None
        return Entry(
            value=made,
            key=self.key_text(key) if key is not None else "",
            name=key.value if key is not None else "",
            leading=[*leading, *(item.text for item in same_line)],
            trailing=f"{trailing.gap or '  '}{trailing.text}" if trailing else "",
        )

    def item_start(self, value: yaml.Node, parent: yaml.CollectionNode) -> int:
        """Where an item of a list begins: at its dash, where it has one."""
        start = value.start_mark.index
        return start if parent.flow_style else self.starts[bisect_left(self.starts, start) - 1]

    def scalar(self, node: yaml.Node, column: int) -> Text:
        source = self.text[node.start_mark.index : node.end_mark.index]
        if isinstance(node, yaml.CollectionNode):
            return Text(lines=["{}" if isinstance(node, yaml.MappingNode) else "[]"])
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            made, has_blank = _block_text(source, column)
            self.pending = [BLANK] if has_blank else []
            return made
        first, *rest = source.split("\n")
        # A double-quoted line may end in an escaped space.
        strip = str.lstrip if source.startswith('"') else str.strip
        return Text(lines=[first, *map(strip, rest)])

    def key_text(self, key: yaml.ScalarNode) -> str:
        source = self.text[key.start_mark.index : key.end_mark.index]
        if _PLAIN_KEY.fullmatch(key.value):
            return str(key.value)
        return source if source and "\n" not in source else json.dumps(key.value, ensure_ascii=False)

    def next_start(self, index: int, *, skips_comma: bool = False) -> int:
        """Where the next token after an index begins, past a comma in a flow collection."""
        number = bisect_left(self.starts, index)
        if skips_comma and number < len(self.starts) and self.text[self.starts[number]] == ",":
            number += 1
        return self.starts[number] if number < len(self.starts) else len(self.text)

    def before(self, index: int) -> list[str]:
        """Take all comments and blank lines before an index."""
        first = self.position
        while self.position < len(self.trivia) and self.trivia[self.position].index < index:
            self.position += 1
        return [*self.taken_pending(), *(item.text for item in self.trivia[first : self.position])]

    def same_line(self, index: int) -> list[_Trivia]:
        """Take the comment before an index that stands behind something on its line, where there is one."""
        item = self.trivia[self.position] if self.position < len(self.trivia) else None
        if item is None or item.is_alone or item.index >= index:
            return []
        self.position += 1
        return [item]

    def below(self, column: int, end: int) -> list[str]:
        """Take the comments before an index that are indented as far as the entries they stand below."""
        last = first = self.position
        for number in range(first, len(self.trivia)):
            item = self.trivia[number]
            if item.index >= end or (item.text and item.column < column):
                break
            if item.text:
                last = number + 1
        self.position = last
        found = [item.text for item in self.trivia[first:last]]
        return [*self.taken_pending(), *found] if found else []

    def taken_pending(self) -> list[str]:
        pending, self.pending = self.pending, []
        return pending


def _document_start(text: str) -> int:
    tokens = yaml.scan(text, Loader=yaml.SafeLoader)
    marks = (token.start_mark for token in tokens if isinstance(token, yaml.DocumentStartToken))
    return next((mark.index for mark in marks), 0)


def _header_length(leading: list[str]) -> int:
    """How many of the lines above the first entry belong to the file: those above a blank line, or all."""
    blanks = [number for number, line in enumerate(leading, start=1) if not line]
    if blanks:
        return blanks[-1]
    return len(leading) if leading and _MODELINE.match(leading[0]) else 0


def _tokens(text: str) -> list[tuple[int, int]]:
    """Where every token that is written down starts and ends."""
    spans = []
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        start, end = token.start_mark.index, token.end_mark.index
        if end > start:
            spans.append((start, end))
    return spans


def _trivia(text: str, spans: list[tuple[int, int]]) -> list[_Trivia]:
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    return [item for start, end in gaps for item in _gap_trivia(text, start, end)]


def _gap_trivia(text: str, start: int, end: int) -> Iterator[_Trivia]:
    at = start
    while at < end:
        stop = text.find("\n", at, end)
        stop = end if stop < 0 else stop
        line_start = text.rfind("\n", 0, at) + 1
        piece = text[at:stop]
        mark = piece.find("#")
        is_alone = not text[line_start:at].strip()
        if mark >= 0:
            column = at + mark - line_start
            yield _Trivia(at + mark, column, piece[mark:].rstrip(), piece[:mark], is_alone)
        elif is_alone and stop < end and at == line_start:
            yield _Trivia(at, 0, BLANK, "", is_alone=True)
        at = stop + 1


def _block_text(source: str, column: int) -> tuple[Text, bool]:
    """A block scalar without its indentation, and whether blank lines follow that are no part of it."""
    header, lines, indent = _block_parts(source, column)
    match = _BLOCK_HEADER.fullmatch(header)
    if match is None:
        raise AssertionError(f"BUG: not the head of a block scalar: {header}")
    indicators = match["indicators"]
    keeps_breaks = "+" in indicators
    content = [line[indent:] for line in lines]
    n_written = len(content)
    if not keeps_breaks:
        while content and not content[-1]:
            content.pop()
    # Without its line break at the end of a file, the last line has none to clip or keep.
    chomping = "-" if lines and not source.endswith("\n") else indicators.strip("123456789")
    first = next((line for line in content if line), "")
    indicator = "2" if first.startswith(" ") else ""
    head = f"{match['style']}{indicator}{chomping}{match['comment'] or ''}".rstrip()
    made = Text(lines=[head, *content], is_block=True, keeps_breaks=chomping == "+")
    return made, len(content) < n_written


def _block_parts(source: str, column: int) -> tuple[str, list[str], int]:
    """The head of a block scalar, its lines, and how far they are indented."""
    header, _, body = source.partition("\n")
    lines = body.split("\n")
    # What follows the last line break is the indentation of what comes next, or a last line without a break.
    if not lines[-1].strip(" "):
        lines.pop()
    stated = re.search("[1-9]", header.partition("#")[0])
    if stated:
        return header, lines, column + int(stated.group())
    indent = 0
    for line in lines:
        indent = max(indent, len(line) - len(line.lstrip(" ")))
        if line.strip(" "):
            break
    return header, lines, indent
