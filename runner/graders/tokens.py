"""Cuts text of any script into tokens to compare."""

import re
import unicodedata

# Raised with every change of what comes out below: scores of different versions cannot be compared.
VERSION = 1
DESCRIPTION = (
    "words, but one token for each Hangul syllable and each Han, kana, Thai, Lao, Burmese or Khmer "
    f"character; NFC, case folded, signs dropped (version {VERSION})"
)

# Scripts that are written without spaces, one token a character, and Hangul, one token a syllable: in Korean
# a noun and its particle are one word, so whole words hardly ever meet. KorQuAD compares syllables for the
# same reason: https://arxiv.org/abs/1909.07005 (2019). rouge-score itself drops every letter outside a-z.
_ALONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3"  # Hangul
)
_TOKEN = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]+(?:['\u2019][^\W_{_ALONE}]+)*")


def tokenise(text: str) -> list[str]:
    """Cut text into lower-case words, or characters where a script has no useful words; signs are dropped."""
    return _TOKEN.findall(unicodedata.normalize("NFC", text).casefold())
