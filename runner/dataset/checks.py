"""Rules that find, before anything is sent, what a hosted service would reject or silently damage later."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from runner.dataset.split import Side
from runner.dataset.tokens import TokenCounter
from runner.dataset.value import Finding
from runner.examples.message_lists import Turn
from runner.examples.read import Example, Message
from runner.issues import Place, Severity

SHOWN_PLACES = 3

# What the placeholders of a rule's message stand for.
Values = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A check's code, its severity, and what it says; `{…}` are filled in with what was found."""

    code: str
    severity: Severity
    message: str


RULES = {
    rule.code: rule
    for rule in (
        Rule(
            code="FT101",
            severity=Severity.ERROR,
            message="found {found} training examples, expected at least {limit}. "
            "Add records, or loosen `where`.",
        ),
        Rule(
            code="FT102",
            severity=Severity.ERROR,
            message="an example has no user message, expected at least one. Add it to the template or data.",
        ),
        Rule(
            code="FT103",
            severity=Severity.ERROR,
            message="an example does not end with an assistant message, expected the answer there. "
            "End the template or data with role assistant.",
        ),
        Rule(
            code="FT104",
            severity=Severity.ERROR,
            message="a message is empty, expected text. "
            "Fill the field, or leave the record out with `where`.",
        ),
        Rule(
            code="FT105",
            severity=Severity.ERROR,
            message="a system message stands after another role, expected it first. Move it to the front.",
        ),
        Rule(
            code="FT106",
            severity=Severity.ERROR,
            message="an example is longer than the model takes ({found} tokens{quality}, limit {limit}); "
            "its end, the answer, would be cut off. Shorten it, or leave it out with `where`.",
        ),
        Rule(
            code="FT107",
            severity=Severity.WARNING,
            message="an example repeats an earlier one exactly. Leave one out with `where`, "
            "or keep it if the weight is meant.",
        ),
        Rule(
            code="FT108",
            severity=Severity.WARNING,
            message="the same question has another answer than before; the model cannot learn both. "
            "Keep one, or tell them apart in the prompt.",
        ),
        Rule(
            code="FT109",
            severity=Severity.WARNING,
            message="the same question is in training and in validation, so validation measures memory. "
            "Set `split.group_by` to a field they share.",
        ),
        Rule(
            code="FT110",
            severity=Severity.WARNING,
            message="`split.validation` is set, but no record fell on that side. Raise it, or add records.",
        ),
        Rule(
            code="FT111",
            severity=Severity.WARNING,
            message="an example may be longer than the model takes (about {found} tokens, limit {limit}). "
            "Shorten it to be safe.",
        ),
        Rule(
            code="FT112",
            severity=Severity.WARNING,
            message="the recipe has no `key`, so an edited record counts as a new one and may change sides. "
            "Name the field that identifies a record.",
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetLimits:
    """What the chosen host and model accept."""

    min_examples: int
    max_example_tokens: int | None = None


@dataclass
class _Group:
    count: int = 0
    places: list[Place] = field(default_factory=list)
    message: str = ""


class Checker:
    """Sees every example once, in order, and says at the end what it found."""

    def __init__(self, limits: DatasetLimits, counter: TokenCounter) -> None:
        self.limits = limits
        self.counter = counter
        self.groups: dict[str, _Group] = {}
        self.answers: dict[bytes, bytes] = {}
        self.sides: dict[bytes, set[Side]] = {}
        self.pairs: set[bytes] = set()

    def observe(self, example: Example, side: Side, n_tokens: int) -> None:
        """Check one example on its own and against those before it; a copy says nothing new."""
        if example.is_copy:
            return
        place = Place(file=example.file, row=example.row)
        for code in conversation_problems(example.messages):
            self.report(code, place)
        self._check_length(n_tokens, place)
        self._check_repeats(example.messages, side, place)

    def findings(
        self, n_training: int, n_validation: int, *, split_asked: bool, keyed: bool
    ) -> list[Finding]:
        """All findings by code; the counts are examples on each side."""
        if n_training < self.limits.min_examples:
            self.report("FT101", None, found=n_training, limit=self.limits.min_examples)
        if split_asked and n_validation == 0:
            self.report("FT110", None)
        if not keyed:
            self.report("FT112", None)
        return [self._finding(code, group) for code, group in sorted(self.groups.items())]

    def report(self, code: str, place: Place | None, **values: object) -> None:
        """Note that a rule fired; the message keeps the values of the first time."""
        group = self.groups.setdefault(code, _Group())
        group.count += 1
        group.message = group.message or RULES[code].message.format(**values)
        if place is not None and len(group.places) < SHOWN_PLACES:
            group.places.append(place)

    def _finding(self, code: str, group: _Group) -> Finding:
        return Finding(
            code=code,
            severity=RULES[code].severity,
            message=group.message,
            count=group.count,
            places=tuple(group.places),
        )

    def _check_length(self, n_tokens: int, place: Place) -> None:
        problem = length_problem(n_tokens, self.limits, self.counter.margin)
        if problem is not None:
            code, values = problem
            self.report(code, place, **values)

    def _check_repeats(self, messages: Sequence[Message], side: Side, place: Place) -> None:
        question, answer = _digest(messages[:-1]), _digest(messages[-1:])
        if question + answer in self.pairs:
            self.report("FT107", place)
        elif question in self.answers:
            self.report("FT108", place)
        self.pairs.add(question + answer)
        self.answers.setdefault(question, answer)
        sides = self.sides.setdefault(question, set())
        if sides and side not in sides:
            self.report("FT109", place)
        sides.add(side)


def length_problem(n_tokens: int, limits: DatasetLimits, margin: float) -> tuple[str, Values] | None:
    """The code of the rule that an example of that length breaks, with what the message says of it."""
    limit = limits.max_example_tokens
    if limit is None:
        return None
    if n_tokens * (1 - margin) > limit:
        quality = ", estimated" if margin else ""
        return "FT106", {"found": n_tokens, "limit": limit, "quality": quality}
    if n_tokens * (1 + margin) > limit:
        return "FT111", {"found": n_tokens, "limit": limit}
    return None


def conversation_problems(messages: Sequence[Turn]) -> tuple[str, ...]:
    """The codes of the rules that one conversation breaks by itself."""
    codes = _role_problems(tuple([role for role, _ in messages]))
    if all([content.strip() for _, content in messages]):
        return codes
    return tuple(sorted((*codes, "FT104")))


@lru_cache(maxsize=1024)
def _role_problems(roles: tuple[str, ...]) -> tuple[str, ...]:
    codes = []
    if "user" not in roles:
        codes.append("FT102")
    if not roles or roles[-1] != "assistant":
        codes.append("FT103")
    first_other = next((i for i, role in enumerate(roles) if role not in ("system", "developer")), len(roles))
    if any(role in ("system", "developer") for role in roles[first_other:]):
        codes.append("FT105")
    return tuple(codes)


def _digest(messages: Sequence[Message]) -> bytes:
    # Lengths stand before the texts, so that no two lists of messages run together to the same bytes.
    parts = (f"{len(item.role)}:{item.role}{len(item.content)}:{item.content}" for item in messages)
    return hashlib.sha256("".join(parts).encode("utf-8", "surrogatepass")).digest()[:16]
