"""An evaluation as plain text: the table, what it can and cannot say, wins and losses, the gate."""

from collections.abc import Iterable, Iterator, Sequence

from runner.display import neutralise, one_line
from runner.evaluation.comparison import Comparison, Slice
from runner.evaluation.cost import BreakEven
from runner.evaluation.statistics import MIN_DIFFERING, Interval
from runner.evaluation.value import Evaluation, Questions, Result, Row
from runner.lock.evaluation import LockedScore
from runner.price import shown_usd
from runner.report.terminal import table_text

SHOWN_LEAKS = 5
SHOWN_ROWS = 3
SHOWN_SLICES = 12
FEW = 30


def evaluation_text(
    evaluation: Evaluation,
    *,
    shown_rows: int = SHOWN_ROWS,
    against: str | None = None,
    by: str | None = None,
    width: int | None = None,
) -> str:
    """Everything a person needs to judge a model; wins and losses `against` a candidate `by` a grader.

    Tables are not wider than `width` columns of a terminal.
    """
    parts = [
        "\n".join(_head(evaluation)),
        results_text(evaluation.results, evaluation.graders, width),
        "\n".join(line for comparison in evaluation.comparisons for line in comparison_lines(comparison)),
        "\n".join(size_lines(evaluation)),
        "\n".join(_slice_lines(evaluation, width)),
        "\n\n".join(_row_texts(evaluation, shown_rows, against, by)),
        "\n".join(break_even_line(item) for item in evaluation.break_even),
        "\n".join(f"note: {neutralise(note)}" for note in evaluation.notes),
        neutralise(evaluation.gate.sentence) if evaluation.gate else "",
    ]
    return "\n\n".join(part for part in parts if part)


def results_text(results: Sequence[Result], graders: Sequence[str], width: int | None = None) -> str:
    """A row for each candidate: scores with 95 % intervals, failures, latency, tokens, cost."""
    judged = any(result.judge_tokens != 0 for result in results)
    more = ("JUDGE TOKENS", "COST") if judged else ()
    header = ("", *graders, "FAILED", "P50", "P95", "TOKENS IN", "OUT", "COST", *more)
    rows = [
        (
            result.name,
            *(score_text(result.scores.get(name)) for name in graders),
            str(result.failures),
            _seconds(result.p50_s),
            _seconds(result.p95_s),
            _count(result.prompt_tokens),
            _count(result.completion_tokens),
            shown_usd(result.usd),
            *((_count(result.judge_tokens), shown_usd(result.judge_usd)) if judged else ()),
        )
        for result in results
    ]
    lines = [table_text(header, rows, width=width)]
    return "\n".join([*lines, *(neutralise(line) for line in answer_lines(results))])


def answer_lines(results: Sequence[Result]) -> Iterator[str]:
    """Whose answers were cut off, and whose have no score."""
    for result in results:
        if result.cut:
            were = _many(result.cut, "answer was", "answers were")
            yield f"{result.name}: {were} cut off at `evaluation.max_tokens`."
    for result in results:
        if result.failure:
            yield f"{result.name}: {result.failures:,} without a score, the first because: {result.failure}"


def comparison_lines(comparison: Comparison, *, is_paired: bool = True) -> Iterator[str]:
    """What one comparison says, in a sentence and its numbers; unpaired ones know no wins."""
    one, other = one_line(comparison.one), one_line(comparison.other)
    if comparison.difference is None:
        yield f"{comparison.grader}: {one} and {other} have no question in common."
        return
    if is_paired and not comparison.wins and not comparison.losses:
        on = "the only question" if comparison.ties == 1 else f"all {comparison.ties} questions"
        yield f"{comparison.grader}: {one} and {other} score the same on {on}."
        return
    said = {
        "better": f"{one} is better than {other}",
        "worse": f"{one} is worse than {other}",
        "unclear": f"no difference between {one} and {other} can be told",
    }[comparison.verdict]
    found = comparison.difference
    head = f"{comparison.grader}: {said}: {found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
    if not is_paired:
        tells = "tells" if comparison.interval_tells else "does not tell"
        yield (
            f"{head}, means alone; the 95 % interval {tells} a difference from chance, and no test "
            "can be made without the answers."
        )
        return
    but = f"; {comparison.disagreement}" if comparison.disagreement else ""
    yield (
        f"{head}, {comparison.wins} won, {comparison.losses} lost, {comparison.ties} equal, "
        f"{comparison.test} p = {comparison.p:.2g}{but}."
    )


def _head(evaluation: Evaluation) -> Iterator[str]:
    questions = evaluation.questions
    profile = "" if evaluation.profile == "default" else f" ({evaluation.profile})"
    on = {"validation": "held out", "training": "trained on", "sources": "of `evaluation.sources`"}
    yield (
        f"{evaluation.recipe}{profile}: {_many(questions.n, 'question', 'questions')} {on[questions.on]}, "
        f"sha256 {questions.sha256[:16]}; graders {evaluation.graders_sha256[:16]}"
    )
    yield from _leak_lines(questions)


def _leak_lines(questions: Questions) -> Iterator[str]:
    if not questions.leaks_checked:
        if questions.on != "training":
            yield "questions were not compared with the training records; --leaks does."
        return
    for leak in questions.left_out[:SHOWN_LEAKS]:
        yield (
            f"left out: {leak.place} nearly repeats {leak.training_place} of the training records "
            f"({leak.share:.0%} in common)"
        )
    if len(questions.left_out) > SHOWN_LEAKS:
        yield f"left out: {len(questions.left_out) - SHOWN_LEAKS} more"
    if questions.overlap is not None:
        yield f"{questions.overlap:.0%} of the answers' runs of 13 tokens stand in training answers too"


def size_lines(evaluation: Evaluation) -> Iterator[str]:
    """What so few questions can and cannot show."""
    for comparison in evaluation.comparisons:
        n = comparison.difference.n if comparison.difference else 0
        if n < MIN_DIFFERING:
            continue
        if comparison.verdict != "unclear" or comparison.interval_tells or not comparison.visible:
            continue
        needed = comparison.pairs_needed if n < (comparison.pairs_needed or 0) else None
        found = abs(comparison.difference.mean) if comparison.difference else 0.0
        rest = (
            f"; to tell one of {found:.3f}, as found here, takes about {needed:,} questions" if needed else ""
        )
        yield (
            f"{comparison.grader}, {comparison.one} and {comparison.other}: with {n} questions, a difference "
            f"of {comparison.visible:.3f} is told from chance four times in five, a smaller one less "
            f"often{rest}."
        )
    if 0 < evaluation.questions.n < MIN_DIFFERING:
        count = _many(evaluation.questions.n, "question is too few", "questions are too few")
        yield f"{count}: below {MIN_DIFFERING}, no test tells any difference."
    elif evaluation.questions.n < FEW:
        yield f"{evaluation.questions.n} questions are few: below {FEW}, only large differences can be told."


def _slice_lines(evaluation: Evaluation, width: int | None) -> Iterator[str]:
    """The means by the values of fields, by the grader that decides."""
    grader = evaluation.deciding_grader
    names = [result.name for result in evaluation.results]
    found: dict[tuple[str, str], dict[str, Slice]] = {}
    for item in evaluation.slices:
        if item.grader == grader:
            found.setdefault((item.field, item.value), {})[item.candidate] = item
    if not found:
        return
    yield f"{grader} by slice:"
    largest = sorted(found.items(), key=lambda pair: -max(item.score.n for item in pair[1].values()))
    rows = [
        (
            f"{field} = {one_line(value, limit=30)}",
            str(max(item.score.n for item in items.values())),
            *(f"{items[name].score.mean:.3f}" if name in items else "–" for name in names),
        )
        for (field, value), items in largest[:SHOWN_SLICES]
    ]
    yield table_text(("", "N", *names), rows, width=width)
    if len(found) > SHOWN_SLICES:
        yield f"{len(found) - SHOWN_SLICES} more; --json has all."


def _row_texts(evaluation: Evaluation, count: int, against: str | None, by: str | None) -> Iterator[str]:
    """The questions that tell the subject and another apart most by the grader that decides.

    Without a name of the other it is the last that was asked.
    """
    grader = by or evaluation.deciding_grader
    asked = [
        found for found in evaluation.comparisons if against in (None, found.other) and grader == found.grader
    ]
    if not asked or count == 0:
        return
    last = asked[-1]
    judged = [
        (row.scores[last.one][last.grader] - row.scores[last.other][last.grader], row)
        for row in evaluation.rows
        if last.grader in row.scores.get(last.one, {}) and last.grader in row.scores.get(last.other, {})
    ]
    won = sorted((item for item in judged if item[0] > 0), key=lambda item: -item[0])
    lost = sorted((item for item in judged if item[0] < 0), key=lambda item: item[0])
    for name, rows in (("won", won), ("lost", lost)):
        for difference, row in rows[:count]:
            head = f"{name} against {last.other} by {abs(difference):.3f} of {last.grader}: {row.place}"
            yield "\n".join([neutralise(head), *_row_lines(row, (last.one, last.other))])


def _row_lines(row: Row, names: Iterable[str]) -> Iterator[str]:
    for message in row.prompt:
        yield f"  {message.role}: {one_line(message.content, limit=200)}"
    yield f"  reference: {one_line(row.reference, limit=200)}"
    for name in names:
        yield f"  {name}: {one_line(row.answers.get(name, ''), limit=200)}"


def break_even_line(item: BreakEven) -> str:
    """When training pays for itself, in a sentence."""
    prices = (
        f"training ${item.training_usd:.2f}, a request ${item.tuned_request_usd:.6f} tuned and "
        f"${item.baseline_request_usd:.6f} with {item.baseline}"
    )
    if item.requests is None:
        return f"{prices}: the tuned model is not the cheaper one to ask, so training never pays for itself."
    pays = f"{prices}: training pays for itself after {item.requests:,} requests"
    if item.saved_usd < 0:
        return f"{pays}; {item.volume:,} requests leave {shown_usd(-item.saved_usd)} of it unpaid."
    return f"{pays}; {item.volume:,} requests save {shown_usd(item.saved_usd)}."


def score_text(score: Interval | LockedScore | None) -> str:
    """A mean with its interval."""
    return "–" if score is None else f"{score.mean:.3f} [{score.low:.3f}, {score.high:.3f}]"


def _many(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"


def _count(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"
