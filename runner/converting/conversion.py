"""A recipe while it is made of another tool's settings, and what became of each of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from runner.display import one_line, shown

Fate = Literal["carried", "translated", "lost"]
# A setting that is off says nothing that a recipe would have to repeat.
_OFF: tuple[Any, ...] = (None, False, "", [], {})
_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What became of one setting: it stands at another place, says it in other words, or is lost and why.

    `value` is what a lost one said.
    """

    key: str
    fate: Fate
    text: str
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A recipe as mappings and lists, and a note for every setting that was there."""

    recipe: dict[str, Any]
    notes: tuple[Note, ...]


class Conversion:
    """Settings that are taken one after the other; what nobody takes is lost."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.rest = dict(settings)
        self.recipe: dict[str, Any] = {
            "version": 1,
            "name": "",
            "sources": [],
            "template": {},
            "training": {"provider": "local"},
        }
        self.notes: list[Note] = []

    def take(self, key: str, default: Any = None) -> Any:
        """A setting, which counts as looked at from then on; the default where it is off."""
        value = self.rest.pop(key, None)
        return default if value is None else value

    def put(self, path: str, value: Any) -> None:
        """Write a value at a dotted path of the recipe."""
        *outer, last = path.split(".")
        node = self.recipe
        for name in outer:
            node = node.setdefault(name, {})
        node[last] = value

    def carry(self, key: str, path: str, value: Any) -> None:
        """Write a value at a path and say that it is the setting's own."""
        self.put(path, value)
        self.notes.append(Note(key=key, fate="carried", text=f"{path}: {_written(value)}"))

    def translate(self, key: str, path: str, value: Any, why: str) -> None:
        """Write a value at a path and say how it follows from the setting."""
        self.put(path, value)
        self.notes.append(Note(key=key, fate="translated", text=f"{path}: {_written(value)} ({why})"))

    def note(self, key: str, fate: Fate, text: str) -> None:
        """Say what became of a setting."""
        self.notes.append(Note(key=key, fate=fate, text=text))

    def forget(self, beginning: str) -> None:
        """Take back what was said of settings whose keys begin so."""
        self.notes = [note for note in self.notes if not note.key.startswith(beginning)]

    def carry_all(self, table: Mapping[str, str]) -> None:
        """Carry the settings that a recipe has under another name."""
        for key, path in table.items():
            value = self.take(key)
            if value not in _OFF:
                self.carry(key, path, value)

    def lose_rest(self, reasons: Mapping[str, str]) -> None:
        """Say of everything that was not taken why it is lost."""
        for key, value in self.rest.items():
            if value in _OFF:
                continue
            reason = next((why for names, why in reasons.items() if _named(key, names)), "")
            known = reason or "finetune does not know this key"
            self.notes.append(Note(key=key, fate="lost", text=known, value=_written(value)))
        self.rest = {}

    def finished(self) -> Converted:
        """The recipe without what stayed empty, and the notes: what was carried, translated, lost."""
        recipe = {key: value for key, value in self.recipe.items() if value != {}}
        order: tuple[Fate, ...] = ("carried", "translated", "lost")
        notes = tuple(note for fate in order for note in self.notes if note.fate == fate)
        return Converted(recipe=recipe, notes=notes)


def _named(key: str, names: str) -> bool:
    """Whether a key is among names with blanks between them; one with a star is the beginning of a key."""
    return any(key.startswith(name[:-1]) if name.endswith("*") else key == name for name in names.split())


def _written(value: Any) -> str:
    return one_line(value, limit=_SHOWN) if isinstance(value, str) else shown(value)


def number(value: Any) -> float | None:
    """A number, also one that YAML takes for text, such as 2e-5."""
    try:
        return float(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError):
        return None


def whole(value: Any) -> int | None:
    """A whole number."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None
