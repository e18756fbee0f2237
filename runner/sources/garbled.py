"""Tell text that an earlier program read in the wrong encoding."""

import re
from collections.abc import Iterable

_REPLACED = "\ufffd"
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_LETTERS = re.compile("[가-힣ぁ-んァ-ヶ一-鿿А-яÀ-ÖØ-öø-ÿ‘-”–—…•€™]")
_HANGUL_WORD = re.compile("[가-힣]{2}")
_MISREADINGS = (
    ("cp1252", "utf-8", "UTF-8 read as Windows-1252"),
    ("latin-1", "utf-8", "UTF-8 read as Latin-1"),
    ("cp1252", "cp949", "CP949 read as Windows-1252"),
    ("latin-1", "cp949", "CP949 read as Latin-1"),
    ("cp949", "utf-8", "UTF-8 read as CP949"),
)


def garbled_sentence(texts: Iterable[str]) -> str:
    """Say what was done to texts that an earlier program decoded wrongly; empty where none looks so."""
    for text in texts:
        if _REPLACED in text:
            return "found the replacement character U+FFFD: an earlier program lost characters here"
        if _NOT_ASCII.search(text):
            for wrong, right, name in _MISREADINGS:
                if _reads_better(text, wrong, right):
                    return f"found text that looks like {name}: export it again with the right encoding"
    return ""


def _reads_better(text: str, wrong: str, right: str) -> bool:
    """Whether encoding it back and decoding it otherwise gives letters out of every odd character."""
    try:
        repaired = text.encode(wrong).decode(right)
    except UnicodeError:
        return False
    odd = _NOT_ASCII.findall(repaired)
    if right == "cp949" and not _HANGUL_WORD.search(repaired):
        return False
    return bool(odd) and all(_LETTERS.search(run) for run in odd) and len(repaired) < len(text)
