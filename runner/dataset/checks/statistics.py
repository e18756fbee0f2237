"""Rules about examples that are unlike the rest, and about text that most share."""

from collections import Counter
from collections.abc import Iterable, Sequence
from heapq import heappush, heappushpop
from itertools import chain, compress, repeat
from itertools import count as count_up
from operator import gt, lt

from runner.dataset.checks.columns import MAX_NAMED, Columns
from runner.dataset.checks.hits import Hit, Origin
from runner.dataset.checks.rule import DatasetRule, Rule, Setup, Totals
from runner.dataset.checks.samples import ask, lines
from runner.display import one_line

# Below this many examples nothing is usual.
MIN_EXAMPLES = 20

_USUAL_SHARE = 0.9
_BOILERPLATE_SHARE = 0.3
# Examples that are looked at together, the share of them (a 64th) that is counted, and what is kept.
_BLOCK = 4_096
_RARE_SHARE = 64
_COUNTERS = 2_000
# In eighths of an octave: an outlier is at least 8 times as long, or an eighth as long, as the median.
_MIN_DISTANCE = 24
_MADS = 7
# Beside short answers a word is one too: shortness says something only of text.
_LEAST_USUAL = 80
# More than any text has characters.
_ENDLESS = 1 << 40


class _Scripts:
    """Counts the pairs of scripts of question and answer, and keeps the first examples where they differ."""

    def __init__(self, _: Setup) -> None:
        self.n_known = self.n_mixed = 0
        self.mixed: list[tuple[Origin, str, str]] = []

    def observe(self, examples: Columns) -> Iterable[tuple[int, Hit]]:
        """Nothing yet: whether a mixture is unusual shows in the end."""
        self.n_known += examples.n_scripts
        self.n_mixed += examples.n_mixed_scripts
        for number, question, answer in examples.rare.mixed_scripts[: MAX_NAMED - len(self.mixed)]:
            self.mixed.append((examples.origin(number), question, answer))
        return ()

    def finish(self, totals: Totals) -> Iterable[tuple[Origin | None, Hit]]:
        """FT404. Where many examples change the script, as in translations, it is what they are for."""
        if self.n_known < MIN_EXAMPLES or self.n_mixed > (1 - _USUAL_SHARE) * self.n_known:
            return
        for origin, question, answer in self.mixed:
            yield origin, Hit("FT404", {"question": question, "answer": answer})


class _Lengths:
    """A histogram of the lengths of answers, and the longest and the shortest of them."""

    def __init__(self, _: Setup) -> None:
        # Answers by their length on a logarithmic scale, and by their length itself until there are many.
        self.counts: Counter[int] = Counter()
        self.lengths: Counter[int] = Counter()
        self.n_seen = 0
        self.longest: list[tuple[int, int, Origin]] = []
        self.shortest: list[tuple[int, int, Origin]] = []

    def observe(self, examples: Columns) -> Iterable[tuple[int, Hit]]:
        """Nothing yet: what is usual shows in the end."""
        self.lengths.update(examples.lengths)
        if len(self.lengths) > _BLOCK:
            self._count()
        for sign, kept, is_more in ((1, self.longest, gt), (-1, self.shortest, lt)):
            least = kept[0][0] if len(kept) == MAX_NAMED else -_ENDLESS
            unusual = map(is_more, examples.lengths, repeat(sign * least))
            for number in compress(count_up(), unusual):
                length = examples.lengths[number]
                if length:
                    _keep(kept, sign * length, self.n_seen + number, examples.origin(number))
        self.n_seen += len(examples)
        return ()

    def finish(self, totals: Totals) -> Iterable[tuple[Origin | None, Hit]]:
        """FT405. Median and median absolute deviation, which outliers do not move."""
        self._count()
        if self.counts.total() < MIN_EXAMPLES:
            return
        middle = _median(self.counts)
        distances: dict[int, int] = {}
        for bucket, count in self.counts.items():
            distance = abs(bucket - middle)
            distances[distance] = distances.get(distance, 0) + count
        far = max(_MIN_DISTANCE, _MADS * _median(distances))
        ends = (("long", 1, self.longest, 0), ("short", -1, self.shortest, _LEAST_USUAL))
        for name, sign, kept, least in ends:
            for length, _, origin in sorted(kept, reverse=True):
                if sign * (eighths(abs(length)) - middle) > far and _length(middle) >= least:
                    values = {"found": f"{abs(length):,}", "how": name, "usual": f"{_length(middle):,}"}
                    yield origin, Hit("FT405", values)

    def _count(self) -> None:
        for length, count in self.lengths.items():
            if length:
                self.counts[eighths(length)] += count
        self.lengths.clear()


class _Boilerplate:
    """Counts the sentences at the ends of answers, block by block, those alone that are common in a block.

    A sentence that is rare in a block is not counted there, which makes a count too low by a 64th at most of
    all answers.
    """

    def __init__(self, _: Setup) -> None:
        self.counts: Counter[str] = Counter()
        self.firsts: dict[str, Origin] = {}
        self.n_answers = 0
        # The block that is being filled: sentences, and where in `told` they stand.
        self.block: list[Sequence[str]] = []
        self.told: list[tuple[int, Columns]] = []

    def observe(self, examples: Columns) -> Iterable[tuple[int, Hit]]:
        """Nothing yet: what is common shows in the end."""
        self.n_answers += len(examples) - examples.lengths.count(0)
        start = 0
        while start < len(examples):
            taken = examples.edges[start : start + _BLOCK - len(self.block)]
            self.told.append((len(self.block) - start, examples))
            self.block += taken
            start += len(taken)
            if len(self.block) == _BLOCK:
                self._count()
        return ()

    def finish(self, totals: Totals) -> Iterable[tuple[Origin | None, Hit]]:
        """FT403, the commonest sentence first."""
        self._count()
        if self.n_answers < MIN_EXAMPLES:
            return
        common = [
            (-count, text)
            for text, count in self.counts.items()
            if count >= _BOILERPLATE_SHARE * self.n_answers
        ]
        for negative, text in sorted(common):
            share = f"{-negative / self.n_answers:.0%}"
            yield self.firsts[text], Hit("FT403", {"found": one_line(text, limit=60), "share": share})

    def _count(self) -> None:
        """Count a block, and begin another."""
        for text, count in Counter(chain.from_iterable(self.block)).items():
            if count * _RARE_SHARE >= len(self.block):
                self.counts[text] += count
                if text not in self.firsts:
                    self.firsts[text] = self._first(text)
        if len(self.counts) > _COUNTERS:
            kept = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[: _COUNTERS // 2]
            self.counts = Counter(dict(kept))
            self.firsts = {text: self.firsts[text] for text in self.counts}
        self.block, self.told = [], []

    def _first(self, text: str) -> Origin:
        number = next(number for number, sentences in enumerate(self.block) if text in sentences)
        before, examples = next(item for item in reversed(self.told) if item[0] <= number)
        return examples.origin(number - before)


def eighths(length: int) -> int:
    """The length on a logarithmic scale, in eighths of an octave; whole numbers, alike on every machine."""
    exponent = length.bit_length() - 1
    return exponent * 8 + ((length << 3 >> exponent) & 7)


def _length(bucket: int) -> int:
    return (8 + bucket % 8 << bucket // 8) // 8


def _median(counts: dict[int, int]) -> int:
    rest = sum(counts.values()) // 2
    for value in sorted(counts):
        rest -= counts[value]
        if rest < 0:
            return value
    return 0


def _keep(heap: list[tuple[int, int, Origin]], rank: int, number: int, origin: Origin) -> None:
    """Keep the highest ranks, of equal ones the earlier: its negated number is the larger."""
    if len(heap) < MAX_NAMED:
        heappush(heap, (rank, -number, origin))
    elif rank > heap[0][0]:
        heappushpop(heap, (rank, -number, origin))


STATISTICS_RULES = (
    DatasetRule(
        rules=(
            Rule(
                code="FT403",
                name="boilerplate",
                level="warning",
                problem="{share} of the answers begin or end with '{found}', expected what the question is "
                "about.",
                advice="Cut it off where the data is made, or keep it if every answer should say it.",
                description="No sentence begins or ends 30 % of the answers or more.",
                why="Menus, footers and disclaimers of a crawl are learned first, since they are everywhere.",
                bad=lines(
                    *(ask(f"{n}?", f"It is {n}. Was this page helpful?") for n in range(3)), "… 20 of these"
                ),
                good=lines(*(ask(f"{n}?", f"It is {n}.") for n in range(3)), "… 20 of these"),
            ),
        ),
        start=_Boilerplate,
    ),
    DatasetRule(
        rules=(
            Rule(
                code="FT404",
                name="language-change",
                level="warning",
                problem="a question in {question} letters has an answer in {answer} letters, where nearly "
                "all others keep theirs; expected the same.",
                advice="Look at it: translate the answer, or leave the record out with `where`.",
                description="Where 90 % of the answers keep the script of their question, all do.",
                why="The model learns to change the language at random.",
                bad=ask(
                    "반품은 어떻게 하나요? 자세히 알려 주세요.",
                    "Open your orders and choose the item to return.",
                ),
                good=ask(
                    "반품은 어떻게 하나요? 자세히 알려 주세요.", "주문 목록에서 반품할 상품을 고르세요."
                ),
            ),
        ),
        start=_Scripts,
    ),
    DatasetRule(
        rules=(
            Rule(
                code="FT405",
                name="unusual-length",
                level="info",
                problem="the length of an answer is {found}, very {how} beside the others (median about "
                "{usual} characters).",
                advice="Look at it: it may be cut off, or a whole page.",
                description="Answers are within 8 times of the median length, or within the spread of the "
                "data.",
                why="Outliers are where extraction failed: an error page, a heading without its text, a "
                "whole book.",
                bad="an answer of 40,000 characters among answers of 300",
                good="an answer of 900 characters among answers of 300",
            ),
        ),
        start=_Lengths,
    ),
)
