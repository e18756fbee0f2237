"""Rules about text that was read in the wrong encoding."""

import re
from collections.abc import Iterator

from runner.dataset.checks.conversation import Conversation, has_rare_characters, is_not_ascii
from runner.dataset.checks.hits import Values
from runner.dataset.checks.marks import CHARACTERS
from runner.dataset.checks.rule import ExampleRule, Rule, Setup
from runner.dataset.checks.samples import ask
from runner.display import one_line

# What bytes above 7F become in Latin-1, and in Windows-1252, which has its own signs at 80 to 9F.
_WINDOWS = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_RUN = re.compile(f"[\u0080-\u00ff{_WINDOWS}]{{2,200}}")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_MIN_SYLLABLES = 2


def replaced(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT208."""
    for place, turn in conversation.places():
        count = turn.content.count("\ufffd")
        if count:
            yield {"where": place, "found": count, "s": "" if count == 1 else "s"}


def misread(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT209."""
    if not _RUN.search(conversation.text):
        return
    for place, turn in conversation.places():
        for match in _RUN.finditer(turn.content):
            meant = reading_of(match.group())
            if meant:
                encoding, text = meant
                found, meaning = one_line(match.group(), limit=24), one_line(text, limit=24)
                yield {"where": place, "found": found, "meant": meaning, "encoding": encoding}
                return


def reading_of(run: str) -> tuple[str, str] | None:
    """The encoding a run of characters was really in and what it says there; None where it is what it seems.

    UTF-8 that decodes is no accident: a lead byte and its right number of trailing bytes. CP949 is less
    strict, so that it has to give nothing but Hangul syllables, two at least.
    """
    content = _as_bytes(run)
    if content is None:
        return None
    text = _decoded(content, "utf-8")
    if text and len(text) < len(content):
        return "UTF-8", text
    korean = _decoded(content, "cp949")
    if korean and len(korean) >= _MIN_SYLLABLES and len(_HANGUL.findall(korean)) == len(korean):
        return "CP949", korean
    return None


def _as_bytes(run: str) -> bytes | None:
    try:
        return b"".join(char.encode("cp1252") if char in _WINDOWS else char.encode("latin-1") for char in run)
    except UnicodeEncodeError:
        return None


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return ""


ENCODING_RULES = (
    ExampleRule(
        Rule(
            code="FT208",
            name="replacement-characters",
            level="warning",
            problem="{where} has {found} replacement character{s} (U+FFFD) where text was lost, expected "
            "text.",
            advice="Read the source again in its own encoding.",
            description="Messages have no replacement characters (U+FFFD).",
            why="Each stands where a program lost a character. What was there cannot be recovered from it.",
            bad=ask("수도는?", "서\ufffd"),
            good=ask("수도는?", "서울"),
        ),
        replaced,
        when=has_rare_characters,
        mark=CHARACTERS,
    ),
    ExampleRule(
        Rule(
            code="FT209",
            name="wrong-encoding",
            level="warning",
            problem="{where} has '{found}', which is {encoding} read as Latin-1 and means '{meant}'; "
            "expected the text itself.",
            advice="Read the source again in its own encoding, with `encoding` on the source.",
            description="Messages are not UTF-8 or CP949 that was read as Latin-1.",
            why="The model learns the debris, and it looks like text to every length check.",
            bad=ask("인사해 줘", "¾È³çÇÏ¼¼¿ä"),
            good=ask("Où est le café ?", "À côté de l'école — là-bas."),
        ),
        misread,
        when=is_not_ascii,
        mark=CHARACTERS,
    ),
)
