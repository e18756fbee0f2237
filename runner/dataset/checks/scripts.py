"""Which script a text is written in, judged by its letters alone."""

import re

# Enough to tell a script, and a bound on the work per message.
SAMPLE_CHARACTERS = 300
MIN_LETTERS = 12

# Code and addresses are Latin in every language.
_NOT_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|<[^<>\n]{1,200}>", re.DOTALL)
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc]")
_NOT_LETTERS = bytes(code for code in range(256) if not chr(code).isalpha())


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
_SHARES = (("Hangul", 0.2), ("Kana", 0.1), ("Cyrillic", 0.4), ("Arabic", 0.4), ("Han", 0.3), ("Latin", 0.6))


def script_of(text: str) -> str:
    """The script that a text is mainly in, empty where it has too few letters to tell.

    Hangul, Kana (Japanese), Han (Chinese), Latin, Cyrillic, Arabic.
    """
    prose = text[:SAMPLE_CHARACTERS]
    if "`" in prose or "://" in prose or "<" in prose:
        prose = _NOT_PROSE.sub(" ", prose)
    n_latin = len(prose.encode("latin-1", "ignore").translate(None, _NOT_LETTERS))
    if prose.isascii():
        return "Latin" if n_latin >= MIN_LETTERS else ""
    # What every letter is, by C code alone: this runs twice for each example.
    high = prose.encode("utf-16-le", "surrogatepass")[1::2].translate(_CLASSES)
    counts = {
        "Hangul": high.count(b"H"),
        "Kana": len(_KANA.findall(prose)),
        "Han": high.count(b"C"),
        "Latin": n_latin + high.count(b"L"),
        "Cyrillic": high.count(b"Y"),
        "Arabic": high.count(b"A"),
    }
    n_letters = sum(counts.values())
    # A Han character or syllable says as much as three Latin letters.
    if counts["Latin"] + 3 * (n_letters - counts["Latin"]) < MIN_LETTERS:
        return ""
    return next((name for name, share in _SHARES if counts[name] >= share * n_letters), "")
