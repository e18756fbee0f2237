"""Runs the rules over a dataset as it streams past, and groups what they find."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from runner.dataset.checks.conversation import Conversation
from runner.dataset.checks.digest import Digest, digest_of
from runner.dataset.checks.marks import make_finder
from runner.dataset.checks.near import signer
from runner.dataset.checks.registry import DATASET_RULES, EXAMPLE_RULES, RULES, UNUSED_IGNORE
from runner.dataset.checks.rule import DatasetLimits, ExampleRule, Hit, Origin, Setup, Totals
from runner.dataset.conversation import UNWRITTEN, ExampleBytes
from runner.dataset.index import identity_digest
from runner.dataset.measure import measure
from runner.dataset.split import Side
from runner.dataset.tokens import TokenCounter
from runner.dataset.value import Finding
from runner.examples.read import Example
from runner.issues import Place, Severity
from runner.recipe.model import Checks, Level

SHOWN_PLACES = 3
_SIGNED = frozenset({"FT401", "FT402"})
# Told of everything that was found and not ignored, in order.
Listener = Callable[[Hit, Origin | None], None]
When = Callable[[Conversation], bool]
# Rules that share a mark, by its name, and a quick look.
_RuleGroup = tuple[str, When | None, tuple[ExampleRule, ...]]


class Examined(NamedTuple):
    """What one example shows by itself, and the digest that rules about the dataset are fed with."""

    hits: tuple[Hit, ...]
    digest: Digest


class Examiner:
    """Checks examples one by one; keeps nothing, so that any number of them may work side by side."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        rules = [item for item in EXAMPLE_RULES if item.rule.code in setup.codes]
        groups: dict[tuple[str, When | None], list[ExampleRule]] = {}
        for item in rules:
            groups.setdefault((item.mark.name if item.mark else "", item.when), []).append(item)
        self.groups: tuple[_RuleGroup, ...] = tuple((*key, tuple(group)) for key, group in groups.items())
        self.unmarked = tuple(group for group in self.groups if not group[0])
        self.marks_of = make_finder(item.mark for item in rules if item.mark)
        self.sign = signer() if setup.codes & _SIGNED else None

    def examine(self, conversation: Conversation, written: ExampleBytes = UNWRITTEN) -> Examined:
        """Run every rule about single examples. At most one hit for each.

        `written` is the same example, where that is known already; it saves time and changes nothing.
        """
        hits = []
        for _, when, rules in self._left(written.texts):
            if when is not None and not when(conversation):
                continue
            for item in rules:
                values = next(iter(item.check(conversation, self.setup)), None)
                if values is not None:
                    hits.append(Hit(item.rule.code, values))
        return Examined(tuple(hits), digest_of(conversation, self.sign, written.text_digest))

    def _left(self, texts: bytes | None) -> Iterable[_RuleGroup]:
        """The rules that may find something in these texts; all of them where they are not known."""
        if texts is None:
            return self.groups
        marks = self.marks_of(texts)
        if not marks:
            return self.unmarked
        return [group for group in self.groups if not group[0] or group[0] in marks]


@dataclass
class _Group:
    count: int = 0
    places: list[Place] = field(default_factory=list)
    message: str = ""


class Groups:
    """Hits by code: how many, the first places, and the message of the first."""

    def __init__(self, levels: Mapping[str, Level]) -> None:
        self.levels = levels
        self.groups: dict[str, _Group] = {}

    def add(self, hit: Hit, origin: Origin | None) -> None:
        """Count a hit."""
        group = self.groups.setdefault(hit.code, _Group())
        group.count += 1
        group.message = group.message or RULES[hit.code].message.format(**hit.values)
        if origin is not None and len(group.places) < SHOWN_PLACES:
            group.places.append(Place(file=origin.file, row=origin.row))

    def findings(self) -> list[Finding]:
        """One finding for each code, in the order of the codes."""
        return [
            Finding(
                code=code,
                severity=Severity(self.levels[code]),
                message=group.message,
                count=group.count,
                places=tuple(group.places),
            )
            for code, group in sorted(self.groups.items())
        ]


class Suppressions:
    """Which entries under `checks.ignore` apply to a record."""

    def __init__(self, checks: Checks) -> None:
        self._by_record: dict[str, tuple[int, ...]] = {}
        for index, entry in enumerate(checks.ignore):
            for key in entry.records:
                self._by_record[key] = (*self._by_record.get(key, ()), index)

    def of(self, key: str, holding: tuple[int, ...]) -> tuple[int, ...]:
        """Those that name its key, and those whose `where` holds for it."""
        return (*holding, *self._by_record.get(key, ()))


class Checker:
    """Sees every example once, in order, and says at the end what it found.

    `observe` examines and collects in one step. Where examples are examined elsewhere, `collect` takes what
    an `Examiner` with the same `setup` made of them.
    """

    def __init__(self, limits: DatasetLimits, counter: TokenCounter, checks: Checks | None = None) -> None:
        checks = checks or Checks()
        self.counter = counter
        self.levels = effective_levels(checks)
        self.ignore = checks.ignore
        self.ignored = [0] * len(checks.ignore)
        self.setup = make_setup(limits, counter.margin, checks)
        self.suppressions = Suppressions(checks)
        self.examiner = Examiner(self.setup)
        self.observers = [
            item.start(self.setup)
            for item in DATASET_RULES
            if any(rule.code in self.setup.codes for rule in item.rules)
        ]
        self.groups = Groups(self.levels)
        self.listener: Listener | None = None

    def observe(self, example: Example, side: Side) -> int:
        """Check one example on its own and against those before it; a copy says nothing new. Its tokens."""
        conversation, n_tokens = measure(example.content, self.counter)
        if not example.is_copy:
            self.collect(self.origin(example), side, self.examiner.examine(conversation))
        return n_tokens

    def origin(self, example: Example) -> Origin:
        """Which example hits will be about."""
        identity = record_identity(identity_digest(example.key, example.variant))
        ignored = self.suppressions.of(example.key, example.ignored)
        return Origin(identity, example.file, example.row, ignored)

    def collect(self, origin: Origin, side: Side, examined: Examined) -> None:
        """Take what an examiner made of the next example."""
        for hit in examined.hits:
            self._report(hit, origin)
        for observer in self.observers:
            for hit in observer.observe(examined.digest, side, origin):
                self._report(hit, origin)

    def findings(
        self,
        n_training: int,
        n_validation: int,
        *,
        split_asked: bool,
        keyed: bool,
        sizes: tuple[int, int] = (0, 0),
    ) -> list[Finding]:
        """All findings by code; the numbers are examples, and the sizes bytes, on each side."""
        totals = Totals(
            n_training=n_training,
            n_validation=n_validation,
            split_asked=split_asked,
            keyed=keyed,
            training_bytes=sizes[0],
            validation_bytes=sizes[1],
        )
        for observer in self.observers:
            for origin, hit in observer.finish(totals):
                self._report(hit, origin)
        for index, count in enumerate(self.ignored):
            if count == 0:
                values = {"index": index, "ignored": self.ignore[index].code}
                self._report(Hit(UNUSED_IGNORE.code, values), None)
        return self.groups.findings()

    def _report(self, hit: Hit, origin: Origin | None) -> None:
        if hit.code not in self.setup.codes:
            return
        for index in origin.ignored if origin else ():
            if self.ignore[index].code == hit.code:
                self.ignored[index] += 1
                return
        self.groups.add(hit, origin)
        if self.listener is not None:
            self.listener(hit, origin)


def effective_levels(checks: Checks) -> dict[str, Level]:
    """The level of every check under a recipe."""
    levels: dict[str, Level] = {code: rule.level for code, rule in RULES.items()}
    return levels | dict(checks.levels)


def make_setup(limits: DatasetLimits, margin: float, checks: Checks) -> Setup:
    """What the rules know; `margin` is the relative error of token counts."""
    codes = (code for code, level in effective_levels(checks).items() if level != "off")
    return Setup(limits=limits, margin=margin, json_answers=checks.json_answers, codes=frozenset(codes))


def record_identity(digest: bytes) -> str:
    """What a baseline knows an example by: half of its hash in the index, in hexadecimal."""
    return digest[:8].hex()
