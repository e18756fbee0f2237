"""Rules about examples that repeat or contradict each other."""

from collections.abc import Iterable

from runner.dataset.checks.digest import Digest
from runner.dataset.checks.rule import DatasetRule, Hit, Origin, Rule, Setup, Totals
from runner.dataset.checks.samples import ask, lines
from runner.dataset.split import Side
from runner.examples.seen import SeenKeys

_SIDES: dict[Side, int] = {"training": 1, "validation": 2}
_BOTH = 3
_MIX = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1


class _Repeats:
    """Remembers a hash of every question, with its first answer and its sides: 21 to 32 bytes."""

    def __init__(self, _: Setup) -> None:
        # A question's number is 62 bits of its first answer above a bit for each side it was seen on.
        self.questions = SeenKeys()
        # Pairs that contradict an earlier answer, which are few.
        self.pairs = SeenKeys()

    def observe(self, digest: Digest, side: Side, origin: Origin) -> Iterable[Hit]:
        """FT107, FT108, FT109."""
        own = _SIDES[side]
        before = self.questions.put_digest(digest.question, digest.answer << 2 | own)
        if not before:
            return
        self.questions.put_digest(digest.question, before | own)
        is_known = before >> 2 == digest.answer or self._is_known_pair(digest)
        # Pairs of one prompt rank its answers; they do not contradict each other.
        if is_known or not digest.is_pair:
            yield Hit("FT107" if is_known else "FT108", {})
        if before & _BOTH == _BOTH ^ own:
            yield Hit("FT109", {})

    def finish(self, totals: Totals) -> Iterable[tuple[Origin | None, Hit]]:
        """Nothing: all was said."""
        return ()

    def _is_known_pair(self, digest: Digest) -> bool:
        return bool(self.pairs.put_digest((digest.question * _MIX ^ digest.answer) & _WORD, 1))


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
