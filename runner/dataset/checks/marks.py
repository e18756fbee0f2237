"""One look at the messages of an example that rules most checks of their texts out."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

# White space, and what has no width, at the ends of a text, as JSON in UTF-8 writes it.
_BLANK = (
    rb"(?: |\x7f|\\[bfnrtu]|\xc2[\x85\xa0\xad]|\xe1\x9a\x80|\xe2\x80[\x80-\x8f\xa8-\xaf]|\xe2\x81[\x9f\xa0]"
    rb"|\xe3\x80\x80|\xef\xbb\xbf)"
)
# Two characters of a text that was read as Latin-1 or Windows-1252: U+0080 to U+00FF, and the latter's signs.
_SIGNS = rb"\xc5[\x92\x93\xa0\xa1\xb8\xbd\xbe]|\xc6\x92|\xcb[\x86\x9c]|\xe2(?:\x80.|\x82\xac|\x84\xa2)"
_HIGH = rb"(?:[\xc2\xc3].|%b)" % _SIGNS
_COLON = b":"
_DIGITS = b"0123456789"
# The number of a person or a card has no fewer; nothing else is marked by digits alone.
MIN_DIGITS = 10
_NO_VALUE = rb"(?:None|nan|NaN|undefined)"


@dataclass(frozen=True, slots=True)
class Mark:
    """What messages have wherever certain rules find something in them.

    One of the bytes `anchors`, and there the pattern `rest`, which begins after it and may look back; or the
    pattern `apart`, which begins with a byte that is too common for an anchor. No two marks share an anchor.
    The messages are texts as JSON, between colons, in UTF-8 and with no escapes but those that they need.
    """

    name: str
    anchors: bytes
    rest: bytes
    apart: bytes = b""


CHARACTERS = Mark(
    "characters",
    b"\x7f\xc2\xc3\xc5\xc6\xcb\xcc\xcd\xe1\xe2\xe3\xef\xf3",
    rb"(?<=[\x7f\xcc\xcd])|(?<=\xc2)[\x80-\x9f\xad]|(?<=[\xc2\xc3]).%b"
    rb"|(?<=\xe2)(?:\x80[\x8b\xaa-\xae]|\x81[\xa0\xa6-\xa9]|(?:\x80.|\x82\xac|\x84\xa2)%b)"
    rb"|(?<=\xe3)\x82[\x99\x9a]|(?<=\xef)(?:\xbb\xbf|\xbf\xbd)|(?<=\xe1)\x85[\xa1-\xb5]"
    rb"|(?<=\xc5)[\x92\x93\xa0\xa1\xb8\xbd\xbe]%b|(?<=\xc6)\x92%b|(?<=\xcb)[\x86\x9c]%b"
    rb"|(?<=\xf3)\xa0[\x80\x81]" % ((_HIGH,) * 5),
    # Line breaks and quotes are escaped too.
    apart=rb"\\[bfru]",
)
# Texts that are empty, begin or end with a blank, or say that there is no value, be it after a bit of code.
ENDS = Mark(
    "ends",
    b":",
    rb'"(?:"|`|%b|%b|null|NULL)| ?%b|`'
    % (_BLANK, _NO_VALUE, _NO_VALUE)
    + rb'|(?<=":)(?:(?<=[ \x7f]":)|(?<=\\[bfnrtu]":)|(?<=\\u00[01][0-9a-fA-F]":)|(?<=\xc2[\x85\xa0\xad]":)'
    rb'|(?<=\xe1\x9a\x80":)|(?<=\xe2[\x80\x81][\x80-\xbf]":)|(?<=\xe3\x80\x80":)|(?<=\xef\xbb\xbf":))',
)
RESIDUE = Mark(
    "residue",
    b"{[<`~P",
    rb"(?<=\{)[{%]|(?<=\[)(?:/?INST\]|object Object\])|(?<=<)(?:\||(?:start|end)_of_turn>|</?SYS>>)"
    rb"|(?<=`)``|(?<=~)~~|(?<=P)SUM",
    apart=rb"psum",
)
PERSONAL = Mark(
    "personal",
    b"@+0123456789",
    rb"(?<=[0-9])(?:[0-9]{3}[0-9 -]{8}|(?<=0)1[016789])|(?<=@)|(?<=\+)[1-9]",
)
SECRETS = Mark(
    "secrets",
    b"_-AKTG",
    rb"(?<=gh[pousr]_)|(?<=github_pat_)|(?<=hf_)|(?<=k_live_)|(?<=npm_)|(?<=glpat-)|(?<=xox[abposr]-)"
    rb"|(?<=sk-ant-)|(?<=pypi-)AgE|(?<=A)(?:[KS]IA|Iza)|(?<=T)3BlbkFJ|(?<=K)EY|(?<=G)\.",
)


def make_finder(marks: Iterable[Mark]) -> Callable[[bytes], set[str]]:
    """A function from messages to the names of the marks that they have."""
    known = tuple(dict.fromkeys(marks))
    if not known:
        return lambda _: set()
    apart = [(mark.name, re.compile(mark.apart).search) for mark in known if mark.apart]
    # Every text lies between colons, so that this anchor says nothing.
    everywhere = [mark for mark in known if mark.anchors == _COLON]
    apart += [(mark.name, re.compile(mark.anchors + b"(?:%b)" % mark.rest).search) for mark in everywhere]
    find = _finder_by_anchor([mark for mark in known if mark.anchors != _COLON])

    def look(texts: bytes) -> set[str]:
        found = find(texts)
        for name, search in apart:
            if search(texts):
                found.add(name)
        return found

    return look


def _finder_by_anchor(marks: Sequence[Mark]) -> Callable[[bytes], set[str]]:
    """Drops all bytes but anchors first, which takes a fraction of a search and mostly leaves nothing."""
    anchors = b"".join(mark.anchors for mark in marks)
    no_anchors = bytes(set(range(256)) - set(anchors))
    each = [
        b"(?P<%b>(?<=[%b])(?=%b))" % (mark.name.encode(), re.escape(mark.anchors), mark.rest)
        for mark in marks
    ]
    anchored = re.compile(b"[%b](?:%b)" % (re.escape(anchors), b"|".join(each)))

    def find(texts: bytes) -> set[str]:
        left = texts.translate(None, no_anchors)
        if left and (len(left) >= MIN_DIGITS or left.translate(None, _DIGITS)):
            return {match.lastgroup or "" for match in anchored.finditer(texts)}
        return set()

    return find if marks else lambda _: set()
