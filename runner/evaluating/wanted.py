"""What the operator asks of an evaluation, and how it speaks with them."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the operator asks of an evaluation beyond the recipe.

    `models` are asked too, at `provider` where it is given, or `alone`; a path names another recipe's model,
    an alias of the project what it stands for.
    `against` and `by` name the candidate and the grader whose wins and losses are shown, by default the last.
    `judge` is where graders ask models. `saves` lets a passing evaluation into the lockfile, `blesses` any.
    """

    models: tuple[str, ...] = ()
    provider: str | None = None
    alone: bool = False
    checkpoint: str | None = None
    judge: str | None = None
    allow_code: bool = False
    concurrency: int = 4
    volume: int | None = None
    leaks: bool | None = None
    against: str | None = None
    by: str | None = None
    saves: bool = True
    blesses: bool = False


class Console(Protocol):
    """How an evaluation speaks with the person who started it."""

    def confirm(self, text: str) -> bool:
        """Ask before paid questions are sent."""

    def say(self, message: str) -> None:
        """Tell what is being done."""

    def count(self, done: int, of: int) -> None:
        """Show how many questions are answered."""
