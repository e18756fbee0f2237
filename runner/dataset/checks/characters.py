"""Rules about characters that nobody sees and every model learns."""

import re
import unicodedata
from collections.abc import Callable, Iterator

from runner.dataset.checks.conversation import Conversation, has_rare_characters
from runner.dataset.checks.hits import Values
from runner.dataset.checks.marks import CHARACTERS, ENDS
from runner.dataset.checks.rule import ExampleRule, Rule, Setup
from runner.dataset.checks.samples import ask

# What composes to one character: jamo to a syllable, a letter and its marks. Other changes of the form NFC,
# such as those of the Han characters that KS X 1001 repeats, are left alone.
# https://www.unicode.org/reports/tr15/ (2025-07)
DECOMPOSED = re.compile(
    "[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|[^\\W\\d_][\u0300-\u036f\u3099\u309a]+"
)
ZERO_WIDTH = re.compile("[\u200b\u2060\ufeff\u00ad]")
_CARRIAGE_RETURN = re.compile("\r")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Tags spell invisible ASCII; only flags such as that of Wales use them, after a black flag.
_TAGS = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0000-\U000e007f]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


def composed(text: str) -> str:
    """The text with every decomposed syllable and accented letter in one character."""
    return DECOMPOSED.sub(lambda match: unicodedata.normalize("NFC", match.group()), text)


def decomposed(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT201."""
    for place, turn in conversation.places():
        for match in DECOMPOSED.finditer(turn.content):
            whole = unicodedata.normalize("NFC", match.group())
            if whole != match.group():
                yield {"where": place, "found": whole, "n": len(match.group())}
                return


def outer_space(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT206."""
    for place, turn in conversation.places():
        text = turn.content
        if (text[:1].isspace() or text[-1:].isspace()) and text.strip():
            ends = [name for name, at in (("begins", 0), ("ends", -1)) if text[at].isspace()]
            yield {"where": place, "ends": " and ".join(ends)}


def _search(pattern: re.Pattern[str]) -> Callable[[Conversation, Setup], Iterator[Values]]:
    """A check that names the first character of a kind and the message it stands in."""

    def check(conversation: Conversation, _: Setup) -> Iterator[Values]:
        if not pattern.search(conversation.text):
            return
        for place, turn in conversation.places():
            match = pattern.search(turn.content)
            if match is not None:
                yield {"where": place, "found": f"U+{ord(match.group()[0]):04X}"}

    return check


_find_controls, _find_tags = _search(_BIDI), _search(_TAGS)


def hidden(conversation: Conversation, setup: Setup) -> Iterator[Values]:
    """FT204. Right-to-left text needs the controls that elsewhere only hide something."""
    if not _RIGHT_TO_LEFT.search(conversation.text):
        yield from _find_controls(conversation, setup)
    yield from _find_tags(conversation, setup)


CHARACTER_RULES = (
    ExampleRule(
        Rule(
            code="FT201",
            name="decomposed-characters",
            level="warning",
            problem="{where} has '{found}' as {n} characters instead of one (Unicode NFD), expected NFC.",
            advice="Repair it with `finetune check --fix`.",
            description="Syllables and accented letters are one character each (Unicode NFC).",
            why="File names from macOS and some exports take Hangul apart. It looks the same, costs more "
            "tokens, and the model learns to answer in parts that nothing else matches.",
            bad=ask("수도는?", "\u1109\u1165\u110b\u116e\u11af"),
            good=ask("수도는?", "서울"),
            safe_fix="composes them in a corrected copy of the data",
        ),
        decomposed,
        when=has_rare_characters,
        mark=CHARACTERS,
    ),
    ExampleRule(
        Rule(
            code="FT202",
            name="control-characters",
            level="warning",
            problem="{where} has the control character {found}, expected text, tabs and line breaks alone.",
            advice="Remove it from the data.",
            description="Messages have no control characters but tabs and line breaks.",
            why="They come from terminals, PDFs and broken exports, and a model repeats what it was taught.",
            bad=ask("Which colour?", "\x1b[31mred\x1b[0m"),
            good=ask("Which colour?", "red\tor\nblue"),
        ),
        _search(_CONTROL),
        when=has_rare_characters,
        mark=CHARACTERS,
    ),
    ExampleRule(
        Rule(
            code="FT203",
            name="invisible-characters",
            level="warning",
            problem="{where} has the invisible character {found}, expected none.",
            advice="Repair it with `finetune check --fix`.",
            description="Messages have no zero-width spaces, byte order marks or soft hyphens.",
            why="Web pages are full of them. They split words into other tokens and come back in answers.",
            bad=ask("반품은?", "7일\u200b 안에 신청하세요."),
            good=ask("가족은?", "👨‍👩‍👧"),
            safe_fix="removes them in a corrected copy of the data",
        ),
        _search(ZERO_WIDTH),
        when=has_rare_characters,
        mark=CHARACTERS,
    ),
    ExampleRule(
        Rule(
            code="FT204",
            name="hidden-text",
            level="warning",
            problem="{where} has {found}, which hides or reorders text, expected what a reader sees.",
            advice="Remove it, and look at where the record came from.",
            description="Messages have no bidirectional overrides and no invisible tag characters.",
            why="They are how instructions are smuggled past a reviewer. https://trojansource.codes",
            bad=ask("Is it safe?", "Yes\u202e.oN"),
            good=ask("איך אומרים כן?", "\u2067כן\u2069 (yes)"),
        ),
        hidden,
        when=has_rare_characters,
        mark=CHARACTERS,
    ),
    ExampleRule(
        Rule(
            code="FT205",
            name="carriage-returns",
            level="info",
            problem="{where} has carriage returns ({found}), expected line feeds alone.",
            advice="Repair them with `finetune check --fix`.",
            description="Lines end with a line feed alone.",
            why="CR LF costs a token per line, and the model answers with it where others do not.",
            bad=ask("Two lines?", "one\r\ntwo"),
            good=ask("Two lines?", "one\ntwo"),
            safe_fix="writes line feeds in a corrected copy of the data",
        ),
        _search(_CARRIAGE_RETURN),
        when=has_rare_characters,
        mark=CHARACTERS,
    ),
    ExampleRule(
        Rule(
            code="FT206",
            name="outer-white-space",
            level="info",
            problem="{where} {ends} with white space, expected text at both ends.",
            advice="Set `trim: true` on the field; `finetune check --fix` does.",
            description="Messages neither begin nor end with white space.",
            why="The model learns to begin with a blank, or that an answer goes on after it has ended.",
            bad=ask("Hello?", "Hello. \n"),
            good=ask("Hello?", "Hello."),
            safe_fix="adds `trim: true` to the field in the recipe",
        ),
        outer_space,
        mark=ENDS,
    ),
    ExampleRule(
        Rule(
            code="FT207",
            name="lone-surrogate",
            level="error",
            is_enforced=True,
            problem="{where} has half of a surrogate pair ({found}), expected whole characters.",
            advice="Repair the record; an emoji was cut in two.",
            description="Messages have no halves of surrogate pairs.",
            why="They cannot be written as UTF-8, so no service can read them.",
            bad=ask("Hi", "HALF").replace("HALF", "\\ud83d"),
            good=ask("Hi", "😀"),
        ),
        _search(_SURROGATE),
        when=has_rare_characters,
        mark=CHARACTERS,
    ),
)
