"""Rules about examples that repeat or contradict each other."""

from array import array
from collections.abc import Iterable, Iterator

from runner.dataset.checks.columns import Columns, Rare
from runner.dataset.checks.hits import Hit, Origin
from runner.dataset.checks.rule import DatasetRule, Rule, Setup, Totals
from runner.dataset.checks.samples import ask, lines
from runner.dataset.checks.spool import Spool
from runner.dataset.repeated import RepeatedNumbers
from runner.examples.seen import SeenKeys

_BOTH = 3
_MIX = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1
# Up to so many repeated questions are known by name; with more of them every question may be one.
_MAX_REPEATED = 250_000


class _Repeats:
    """Remembers a hash of every question in 8 bytes, and what else it was told in a temporary file.

    Questions that repeat are few, so that only in the end these alone are looked at: with their first answer
    and sides, in up to 32 bytes each.
    """

    def __init__(self, _: Setup) -> None:
        self.hashes = RepeatedNumbers()
        self.told = _Told()

    def observe(self, examples: Columns) -> Iterable[tuple[int, Hit]]:
        """Nothing yet: which questions repeat shows in the end."""
        self.hashes.add(examples.questions)
        self.told.write(examples)
        return ()

    def finish(self, totals: Totals) -> Iterable[tuple[Origin | None, Hit]]:
        """FT107, FT108, FT109 of what is in the files."""
        repeated = self.hashes.found(at_most=_MAX_REPEATED)
        del self.hashes
        if repeated is not None and not repeated:
            return
        compared = _Compared()
        for examples in self.told.read():
            questions = enumerate(examples.questions)
            # A list of the few first: most examples are not looked at any closer.
            for number, question in [item for item in questions if repeated is None or item[1] in repeated]:
                if examples.identities[number] in totals.left_out:
                    continue
                for code in compared.codes(question, examples, number):
                    yield examples.origin(number), Hit(code, {})


class _Compared:
    """Questions with their first answer, and whether they were seen on either side."""

    def __init__(self) -> None:
        # A question's number is 62 bits of its first answer above a bit for each side it was seen on.
        self.questions = SeenKeys()
        # Pairs that contradict an earlier answer, which are few.
        self.pairs = SeenKeys()

    def codes(self, question: int, examples: Columns, number: int) -> Iterator[str]:
        """What an example breaks together with those before it that ask the same."""
        answer = examples.answers[number] >> 2
        own = 2 if examples.side(number) == "validation" else 1
        before = self.questions.put_digest(question, answer << 2 | own)
        if not before:
            return
        self.questions.put_digest(question, before | own)
        is_known = before >> 2 == answer or self._is_known_pair(question, answer)
        # Pairs of one prompt rank its answers; they do not contradict each other.
        if is_known or not examples.is_pair(number):
            yield "FT107" if is_known else "FT108"
        if before & _BOTH == _BOTH ^ own:
            yield "FT109"

    def _is_known_pair(self, question: int, answer: int) -> bool:
        return bool(self.pairs.put_digest((question * _MIX ^ answer) & _WORD, 1))


class _Told:
    """Columns in a temporary file, 28 bytes for each example."""

    def __init__(self) -> None:
        self.spool = Spool()
        self.heads: list[tuple[str, int, int, Rare]] = []

    def write(self, examples: Columns) -> None:
        """Append what `read` gives."""
        rare = Rare([], examples.rare.ignored, [], [])
        self.heads.append((examples.file, examples.rows_before, len(examples), rare))
        self.spool.write(_kept(examples))

    def read(self) -> Iterator[Columns]:
        """The examples as they were written, without what is not needed to compare and to name them."""
        self.spool.rewind()
        for file, rows_before, count, rare in self.heads:
            examples = Columns(file, rows_before)
            examples.rare = rare
            self.spool.read(_kept(examples), count)
            yield examples


def _kept(examples: Columns) -> "tuple[array[int], ...]":
    return examples.rows, examples.identities, examples.questions, examples.answers


REPEAT_RULES = (
    DatasetRule(
        rules=(
            Rule(
                code="FT107",
                name="repeated-example",
                level="warning",
                problem="an example repeats an earlier one exactly.",
                advice="Leave one out with `where`, or keep it if the weight is meant.",
                description="No example is there twice.",
                why="A repeated example counts twice in training and is paid for twice.",
                bad=lines(ask("Hello?", "Hello."), ask("Hello?", "Hello.")),
                good=lines(ask("Hello?", "Hello."), ask("How are you?", "Fine.")),
            ),
            Rule(
                code="FT108",
                name="conflicting-answers",
                level="warning",
                problem="the same question has another answer than before; the model cannot learn both.",
                advice="Keep one, or tell them apart in the prompt.",
                description="The same messages before the answer have the same answer.",
                why="The loss on such examples cannot fall, and the model answers with a mixture.",
                bad=lines(ask("언제 열어요?", "9시에 엽니다."), ask("언제 열어요?", "10시에 엽니다.")),
                good=lines(
                    ask("평일에 언제 열어요?", "9시에 엽니다."), ask("주말에 언제 열어요?", "10시에 엽니다.")
                ),
            ),
            Rule(
                code="FT109",
                name="leaked-question",
                level="warning",
                problem="the same question is in training and in validation, so validation measures memory.",
                advice="Set `split.group_by` to a field they share.",
                description="No question is on both sides of the split.",
                why="A validation loss that falls because questions were seen says nothing about new ones.",
                bad="the same question in the training file and in the validation file",
                good="questions of the validation file that the training file does not have",
            ),
        ),
        start=_Repeats,
    ),
)
