"""Runs the rules over a dataset as it streams past, and groups what they find."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from runner.dataset.checks.columns import Columns, Examined
from runner.dataset.checks.conversation import (
    Conversation,
    are_unusual,
    conversation_of_turns,
    has_unusual_roles,
    is_judged,
    is_rich,
)
from runner.dataset.checks.digest import digest_of, digests_of_texts
from runner.dataset.checks.hits import Hit, Origin
from runner.dataset.checks.length import LENGTH_RULES, most_tokens
from runner.dataset.checks.limits import DatasetLimits
from runner.dataset.checks.marks import make_finder
from runner.dataset.checks.near import LEFT_OUT, NOT_COMPARED, signer
from runner.dataset.checks.places import Places
from runner.dataset.checks.registry import DATASET_RULES, EXAMPLE_RULES, RULES, UNUSED_IGNORE
from runner.dataset.checks.rule import ExampleRule, Setup, Totals
from runner.dataset.conversation import TextBytes
from runner.dataset.index import identity_digest
from runner.dataset.measure import measure
from runner.dataset.split import Side
from runner.dataset.tokens import TokenCounter
from runner.dataset.value import Finding
from runner.examples.message_lists import Turn
from runner.examples.read import Example
from runner.issues import Place, Severity
from runner.recipe.model import Checks, Level

SHOWN_PLACES = 3
_SIGNED = frozenset({"FT401", "FT402"})
# Quick looks that say no to an example of text alone with usual roles.
_ABOUT_OTHERS = (has_unusual_roles, is_rich, is_judged)
# Examples that are collected one by one wait until there are so many.
_TOGETHER = 1_024
# Told of everything that was found and not ignored, in order.
Listener = Callable[[Hit, Origin | None], None]
When = Callable[[Conversation], bool]
# Rules that share a mark, by its name, and a quick look.
_RuleGroup = tuple[str, When | None, tuple[ExampleRule, ...]]


class Examiner:
    """Checks examples one by one; keeps nothing, so that any number of them may work side by side."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        rules = [
            item
            for item in EXAMPLE_RULES
            if item.rule.code in setup.codes and (item.needs is None or item.needs(setup))
        ]
        groups: dict[tuple[str, When | None], list[ExampleRule]] = {}
        for item in rules:
            groups.setdefault((item.mark.name if item.mark else "", item.when), []).append(item)
        self.groups: tuple[_RuleGroup, ...] = tuple((*key, tuple(group)) for key, group in groups.items())
        self.most_tokens = most_tokens(setup)
        # What may find something in an example that has no mark, usual roles and not many tokens.
        self.always = [
            item
            for item in rules
            if item.mark is None and item.when not in _ABOUT_OTHERS and item not in LENGTH_RULES
        ]
        self.marks_of = make_finder(item.mark for item in rules if item.mark)
        self.sign = signer() if setup.codes & _SIGNED else None

    def examine(self, conversation: Conversation) -> Examined:
        """Run every rule about single examples. At most one hit for each."""
        return Examined(self._hits(conversation, self.groups), digest_of(conversation, self.sign))

    def examine_texts(
        self, conversations: Sequence[Sequence[Turn]], counts: Sequence[int], written: Sequence[TextBytes]
    ) -> list[Examined]:
        """As `examine`, of examples of text alone with their tokens: one look rules out most rules."""
        marks = [self.marks_of(each.texts) for each in written]
        hits = [
            self._text_hits(turns, n_tokens, found)
            if found or self.always or n_tokens > self.most_tokens or are_unusual(each.roles)
            else ()
            for turns, n_tokens, each, found in zip(conversations, counts, written, marks, strict=True)
        ]
        return list(map(Examined, hits, digests_of_texts(conversations, written, self.sign)))

    def _text_hits(self, turns: Sequence[Turn], n_tokens: int, marks: set[str]) -> tuple[Hit, ...]:
        left = [group for group in self.groups if not group[0] or group[0] in marks]
        return self._hits(conversation_of_turns(turns, n_tokens), left)

    def _hits(self, conversation: Conversation, groups: Iterable[_RuleGroup]) -> tuple[Hit, ...]:
        hits = []
        for _, when, rules in groups:
            if when is not None and not when(conversation):
                continue
            for item in rules:
                values = next(iter(item.check(conversation, self.setup)), None)
                if values is not None:
                    hits.append(Hit(item.rule.code, values))
        return tuple(hits)


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
    an `Examiner` with the same `setup` made of them, one by one or in columns.
    """

    def __init__(self, limits: DatasetLimits, counter: TokenCounter, checks: Checks | None = None) -> None:
        checks = checks or Checks()
        self.counter = counter
        self.levels = effective_levels(checks)
        self.ignore = checks.ignore
        self.ignored = [0] * len(checks.ignore)
        self.left_out: frozenset[int] = frozenset()
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
        self.waiting = Columns()
        self.places = Places()

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
        if origin.file != self.waiting.file or len(self.waiting) >= _TOGETHER:
            self._collect_waiting(origin.file)
        self.waiting.add(origin.row, int(origin.identity, 16), side, examined, origin.ignored)

    def collect_all(self, examples: Columns) -> None:
        """Take what an examiner made of the next examples."""
        self.places.add(examples)
        hits = [(number, hit) for number, found in examples.rare.hits for hit in found]
        n_single = len(hits)
        for observer in self.observers:
            hits += observer.observe(examples)
        if len(hits) > n_single:
            # Stable: for each example what it shows by itself comes first.
            hits.sort(key=itemgetter(0))
        for number, hit in hits:
            self._report(hit, examples.origin(number))

    def _collect_waiting(self, next_file: str = "") -> None:
        waiting, self.waiting = self.waiting, Columns(next_file)
        if len(waiting):
            self.collect_all(waiting)

    def report_left_out(self, repeats: Mapping[int, tuple[int, float]]) -> None:
        """FT406 for examples that nearly repeat another, by the first 64 bits of their identities."""
        self._collect_waiting()
        self.left_out = frozenset(repeats)
        origins = self.places.find(repeats.keys() | {near for near, _ in repeats.values()})
        for identity, (near, share) in repeats.items():
            place = f"{origins[near].file}: row {origins[near].row}"
            self._report(Hit(LEFT_OUT.code, {"place": place, "share": f"{share:.0%}"}), origins[identity])

    def report_not_compared(self) -> None:
        """FT407: nobody looked for near repeats."""
        self._report(Hit(NOT_COMPARED.code, {}), None)

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
        self._collect_waiting()
        totals = Totals(
            n_training=n_training,
            n_validation=n_validation,
            split_asked=split_asked,
            keyed=keyed,
            training_bytes=sizes[0],
            validation_bytes=sizes[1],
            left_out=self.left_out,
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
