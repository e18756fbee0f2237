"""A hint that closes a message: the nearest known name, the names there are, or the command to type."""

import shlex
from collections.abc import Iterable
from itertools import islice

from runner.display import one_line

SHOWN_NAMES = 12
# The search compares with every name, and data may have any number of them.
SEARCHED_NAMES = 500
SHOWN_CHARACTERS = 40
# What word processors and input methods write in the place of the signs of a language.
LOOKALIKES = {"\u00a0": "a space", "\u3000": "a space", "：": "a colon", "，": "a comma"}
LOOKALIKES |= dict.fromkeys("“”„‟＂", "a double quote") | dict.fromkeys("‘’＇", "a single quote")


def nearest(word: str, known: Iterable[str]) -> str:
    """Ask about the one known name that looks like the word; empty where none does."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(islice(known, SEARCHED_NAMES)), n=1, cutoff=0.6)
    return f"Did you mean '{one_line(near[0], limit=SHOWN_CHARACTERS)}'?" if near else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Ask about the nearest known name, or list the known names where none is near."""
    names = sorted(known)
    return nearest(word, names) or (f"Known here: {', '.join(names)}." if names else "")


def command(name: str, *arguments: str, profile: str = "default", provider: str = "local") -> str:
    """A command as it has to be typed, in backticks; the default profile and provider stay out."""
    options = {"--profile": (profile, "default"), "--provider": (provider, "local")}
    chosen = [
        part for option, (value, usual) in options.items() if value != usual for part in (option, value)
    ]
    return f"`finetune {name} {shlex.join([*arguments, *chosen])}".rstrip() + "`"


def listed(names: Iterable[str]) -> str:
    """The names in quotes with commas between them, the first few of many."""
    known = list(names)
    shown = ", ".join(f"'{one_line(name, limit=SHOWN_CHARACTERS)}'" for name in known[:SHOWN_NAMES])
    more = len(known) - SHOWN_NAMES
    return f"{shown} and {more} more" if more > 0 else shown or "nothing"
