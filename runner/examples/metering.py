"""What one rendering may use, counted while it runs."""

from dataclasses import dataclass
from typing import Any

MAX_MESSAGE_CHARACTERS = 1 << 20
MAX_WORK_CHARACTERS = 1 << 26
MAX_ITEMS = 100_000
# Products of numbers stay short enough to be printed everywhere; see sources.strict_json.MAX_DIGITS.
MAX_NUMBER_BITS = 2_048


class SandboxError(ValueError):
    """A template asks for something that it cannot have; the message is a sentence."""


@dataclass(slots=True)
class Meter:
    """What is left: characters of text to produce on the way, and list items to visit."""

    characters: int = MAX_WORK_CHARACTERS
    items: int = MAX_ITEMS

    def charge(self, value: Any) -> Any:
        """Count a value that an operation produced, and return it. Raises SandboxError at the limit."""
        if isinstance(value, str):
            self.characters -= len(value)
        elif isinstance(value, list | tuple | dict):
            self.items -= len(value)
        elif isinstance(value, int) and value.bit_length() > MAX_NUMBER_BITS:
            raise SandboxError(
                f"found a number of more than {MAX_NUMBER_BITS} bits, expected less. Change it."
            )
        if self.characters < 0:
            raise SandboxError(
                f"found more than {MAX_WORK_CHARACTERS} characters of work, expected less. Simplify it."
            )
        if self.items < 0:
            raise SandboxError(
                f"found more than {MAX_ITEMS} loop steps and list items, expected less. Simplify it."
            )
        return value


def check_length(characters: int) -> None:
    """Refuse a text before it is made. Raises SandboxError."""
    if characters > MAX_MESSAGE_CHARACTERS:
        raise SandboxError(
            f"found {characters} characters of text, expected at most {MAX_MESSAGE_CHARACTERS}. Shorten it."
        )
