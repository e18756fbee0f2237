"""Which script a text is written in, judged by its letters alone."""

import re

# Enough to tell a script, and a bound on the work per message.
SAMPLE_CHARACTERS = 160
MIN_LETTERS = 12

# Code and addresses are Latin in every language.
_NOT_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|<[^<>\n]{1,200}>", re.DOTALL)
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc]")
_NOT_LETTERS = bytes(code for code in range(256) if not (chr(code).isascii() and chr(code).isalpha()))
_LATIN_1 = re.compile("[\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]")


def _classes() -> bytes:
    """The script of each row of 256 characters, by the high byte of its UTF-16 codes."""
    rows = {
        b"H": (0x11, 0x31, *range(0xAC, 0xD8)),
        b"C": (*range(0x34, 0xA0), 0xF9, 0xFA),
        b"L": (0x01, 0x02, 0x1E),
        b"Y": (0x04,),
        b"A": (0x06,),
    }
    table = bytearray(256)
    for letter, highs in rows.items():
        for high in highs:
            table[high] = letter[0]
    return bytes(table)


_CLASSES = _classes()
# Korean and Japanese prose is full of Latin names and Han characters, never the other way round.
_HANGUL_SHARE = 0.2
_SHARES = (
    ("Hangul", _HANGUL_SHARE),
    ("Kana", 0.1),
    ("Cyrillic", 0.4),
    ("Arabic", 0.4),
    ("Han", 0.3),
    ("Latin", 0.6),
)


def script_of(text: str) -> str:
    """The script that a text is mainly in, empty where it has too few letters to tell.

    Hangul, Kana (Japanese), Han (Chinese), Latin, Cyrillic, Arabic.
    """
    prose = text[:SAMPLE_CHARACTERS]
    if "`" in prose or "://" in prose or "<" in prose:
        prose = _NOT_PROSE.sub(" ", prose)
    # What every letter is, by C code alone: this runs twice for each example.
    if prose.isascii():
        return "Latin" if len(prose.encode("ascii").translate(None, _NOT_LETTERS)) >= MIN_LETTERS else ""
    rows = prose.encode("utf-16-le", "surrogatepass")[1::2]
    high = rows.translate(_CLASSES)
    n_hangul = high.count(b"H")
    if 3 * n_hangul >= MIN_LETTERS and n_hangul >= _HANGUL_SHARE * len(prose):
        # Enough of them even if all other characters were letters too.
        return "Hangul"
    counts = {
        "Hangul": n_hangul,
        "Kana": len(_KANA.findall(prose)) if b"\x30" in rows else 0,
        "Han": high.count(b"C"),
        "Latin": _n_latin(prose) + high.count(b"L"),
        "Cyrillic": high.count(b"Y"),
        "Arabic": high.count(b"A"),
    }
    n_letters = sum(counts.values())
    # A Han character or syllable says as much as three Latin letters.
    if counts["Latin"] + 3 * (n_letters - counts["Latin"]) < MIN_LETTERS:
        return ""
    return next((name for name, share in _SHARES if counts[name] >= share * n_letters), "")


def _n_latin(prose: str) -> int:
    """The letters of ASCII and Latin-1."""
    content = prose.encode("utf-8", "surrogatepass")
    n_ascii = len(content.translate(None, _NOT_LETTERS))
    # Without the bytes that they begin with there are no letters of Latin-1.
    return n_ascii + len(_LATIN_1.findall(prose)) if b"\xc2" in content or b"\xc3" in content else n_ascii
