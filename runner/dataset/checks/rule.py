"""What a check is: a code, what it says, and a function that finds it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from runner.dataset.checks.columns import Columns
from runner.dataset.checks.conversation import Conversation
from runner.dataset.checks.hits import Hit, Origin, Values
from runner.dataset.checks.limits import DatasetLimits
from runner.dataset.checks.marks import Mark
from runner.recipe.model import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A check as people know it. `problem` and `advice` are the message; `{…}` are filled in.

    `bad` and `good` are lines of a training file, one example each, that break and keep the rule. What
    `is_enforced` is refused by hosted services anyway, so no recipe can allow it. `extra` names the packages
    that the core install leaves out; such a rule is off until a recipe asks for it. `safe_fix` says what
    `finetune check --fix` does.
    """

    code: str
    name: str
    level: Level
    problem: str
    advice: str
    description: str
    why: str
    bad: str
    good: str
    is_enforced: bool = False
    extra: str = ""
    safe_fix: str = ""

    @property
    def message(self) -> str:
        """What was found, what was expected, and what to do."""
        return f"{self.problem} {self.advice}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """All that rules know beside the examples; `margin` is the relative error of token counts."""

    limits: DatasetLimits
    margin: float = 0.0
    json_answers: bool = False
    codes: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What is known of a dataset once all of it was seen.

    `left_out` are the examples, by the first 64 bits of their identities, that are in neither file.
    """

    n_training: int
    n_validation: int
    split_asked: bool
    keyed: bool
    training_bytes: int = 0
    validation_bytes: int = 0
    left_out: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ExampleRule:
    """A rule about one example: `check` yields the values of its message where the example breaks it.

    A pure function, so that examples may be checked anywhere and in any order. At most its first values
    count: a rule fires once per example. `when` is a quick look, shared with other rules, that rules most
    examples out; what it says no to, `check` finds nothing in. `mark` is what an example of nothing but
    text has wherever `check` finds something. `needs` is what has to be set up for it to find anything.
    """

    rule: Rule
    check: Callable[[Conversation, Setup], Iterable[Values]]
    when: Callable[[Conversation], bool] | None = None
    mark: Mark | None = None
    needs: Callable[[Setup], bool] | None = None


class Observer(Protocol):
    """A rule about a whole dataset at work: told of all examples in order, some at a time, by their digests.

    How they are divided must not show in what it finds.
    """

    def observe(self, examples: Columns) -> Iterable[tuple[int, Hit]]:
        """What these break together with those before them, by their numbers in `examples`."""

    def finish(self, totals: Totals) -> Iterable[tuple[Origin | None, Hit]]:
        """What shows only at the end; without an origin it is about the dataset itself."""


@dataclass(frozen=True, slots=True)
class DatasetRule:
    """Rules that one observer finds; `start` makes the observer."""

    rules: tuple[Rule, ...]
    start: Callable[[Setup], Observer]
