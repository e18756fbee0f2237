"""Rules about examples that are unlike the rest, and about text that most share."""

from collections.abc import Iterable
from heapq import heappush, heappushpop

from runner.dataset.checks.digest import Digest
from runner.dataset.checks.rule import DatasetRule, Hit, Origin, Rule, Setup, Totals
from runner.dataset.checks.samples import ask, lines
from runner.dataset.split import Side
from runner.display import one_line

# Examples that a rule may name in the end, so that memory does not grow with the data.
MAX_NAMED = 1_000
# Below this many examples nothing is usual.
MIN_EXAMPLES = 20

_USUAL_SHARE = 0.9
_BOILERPLATE_SHARE = 0.3
_COUNTERS = 2_000
# In eighths of an octave: an outlier is at least 8 times as long, or an eighth as long, as the median.
_MIN_DISTANCE = 24
_MADS = 7
# Beside short answers a word is one too: shortness says something only of text.
_LEAST_USUAL = 80


class _Scripts:
    """Counts the pairs of scripts of question and answer, and keeps the first examples where they differ."""

    def __init__(self, _: Setup) -> None:
        self.n_known = self.n_mixed = 0
        self.mixed: list[tuple[Origin, Digest]] = []

    def observe(self, digest: Digest, side: Side, origin: Origin) -> Iterable[Hit]:
        """Nothing yet: whether a mixture is unusual shows in the end."""
        if digest.question_script and digest.answer_script:
            self.n_known += 1
            if digest.question_script != digest.answer_script:
                self.n_mixed += 1
                if len(self.mixed) < MAX_NAMED:
                    self.mixed.append((origin, digest))
        return ()

    def finish(self, totals: Totals) -> Iterable[tuple[Origin | None, Hit]]:
        """FT404. Where many examples change the script, as in translations, it is what they are for."""
        if self.n_known < MIN_EXAMPLES or self.n_mixed > (1 - _USUAL_SHARE) * self.n_known:
            return
        for origin, digest in self.mixed:
            yield (
                origin,
                Hit("FT404", {"question": digest.question_script, "answer": digest.answer_script}),
            )


class _Lengths:
    """A histogram of the lengths of answers, and the longest and the shortest of them."""

    def __init__(self, _: Setup) -> None:
        self.counts: dict[int, int] = {}
        self.n_seen = 0
        self.longest: list[tuple[int, int, Origin]] = []
        self.shortest: list[tuple[int, int, Origin]] = []

    def observe(self, digest: Digest, side: Side, origin: Origin) -> Iterable[Hit]:
        """Nothing yet: what is usual shows in the end."""
        length = digest.answer_characters
        if not length:
            return ()
        self.n_seen += 1
        bucket = eighths(length)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        _keep(self.longest, length, self.n_seen, origin)
        _keep(self.shortest, -length, self.n_seen, origin)
        return ()

    def finish(self, totals: Totals) -> Iterable[tuple[Origin | None, Hit]]:
        """FT405. Median and median absolute deviation, which outliers do not move."""
        if self.n_seen < MIN_EXAMPLES:
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


class _Boilerplate:
    """Counts the sentences at the ends of answers; a rare one gives way to a new one (Misra, Gries 1982).

    With at most four sentences of an answer in 2,000 counters a count is too low by a 500th of the answers.
    """

    def __init__(self, _: Setup) -> None:
        self.counts: dict[str, int] = {}
        self.firsts: dict[str, Origin] = {}
        self.n_answers = 0

    def observe(self, digest: Digest, side: Side, origin: Origin) -> Iterable[Hit]:
        """Nothing yet: what is common shows in the end."""
        self.n_answers += bool(digest.answer_characters)
        for sentence in digest.edges:
            count = self.counts.get(sentence)
            if count is not None:
                self.counts[sentence] = count + 1
            elif len(self.counts) < _COUNTERS:
                self.counts[sentence] = 1
                self.firsts[sentence] = origin
            else:
                self.counts = {text: count - 1 for text, count in self.counts.items() if count > 1}
                self.firsts = {text: self.firsts[text] for text in self.counts}
        return ()

    def finish(self, totals: Totals) -> Iterable[tuple[Origin | None, Hit]]:
        """FT403, the commonest sentence first."""
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
