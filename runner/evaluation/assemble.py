"""Puts answers and scores together to an evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.evaluation.ask import Answer
from runner.evaluation.candidates import Candidate
from runner.evaluation.comparison import Comparison, compare
from runner.evaluation.cost import answers_usd, judging_usd, rate_of
from runner.evaluation.items import Item
from runner.evaluation.scores import Scored
from runner.evaluation.statistics import percentile, score_interval
from runner.evaluation.value import DIGITS, Result, Row
from runner.providers.hosts import Host


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one candidate answered and scored, in the order of the questions.

    `judged` are the replies of models that judge its answers, with the model, at the host `judge`.
    """

    candidate: Candidate
    answers: Sequence[Answer]
    scored: Sequence[Scored]
    host: Host | None = None
    judged: Sequence[tuple[str, Answer]] = ()
    judge: Host | None = None


def result_of(outcome: Outcome, graders: Sequence[str]) -> Result:
    """The figures of one candidate."""
    candidate, answers = outcome.candidate, outcome.answers
    came = [answer for answer in answers if answer.failure is None]
    latencies = [answer.latency_s for answer in came if answer.latency_s is not None]
    failures = [item.failure for item in outcome.scored if item.failure is not None]
    scores = {
        name: score_interval([item.scores[name] for item in outcome.scored if name in item.scores])
        for name in graders
    }
    # As the lockfile keeps them: a number that is rounded twice would differ between two commands.
    rounded = {name: score.rounded(DIGITS) for name, score in scores.items() if score is not None}
    return Result(
        name=candidate.name,
        provider=candidate.provider,
        model=candidate.model,
        scores=rounded,
        failures=len(failures),
        failure=failures[0] if failures else None,
        cut=sum(answer.is_cut for answer in came),
        p50_s=percentile(latencies, 0.5),
        p95_s=percentile(latencies, 0.95),
        prompt_tokens=_total([answer.prompt_tokens for answer in came]),
        completion_tokens=_total([answer.completion_tokens for answer in came]),
        usd=answers_usd(rate_of(candidate, outcome.host), answers) if outcome.host is not None else 0.0,
        judge_tokens=_judge_tokens(outcome),
        judge_usd=judging_usd(outcome.judged, outcome.judge),
    )


def rows_of(items: Sequence[Item], outcomes: Sequence[Outcome]) -> tuple[Row, ...]:
    """Every question with all answers."""
    return tuple(_row(number, item, outcomes) for number, item in enumerate(items))


def comparisons_of(
    subject: str, rows: Sequence[Row], names: Sequence[str], graders: Sequence[str]
) -> tuple[Comparison, ...]:
    """The subject against every other candidate by every grader, where both have scores."""
    found = []
    for name in names:
        for grader in graders:
            pairs = [
                (row.scores[subject][grader], row.scores[name][grader])
                for row in rows
                if grader in row.scores.get(subject, {}) and grader in row.scores.get(name, {})
            ]
            found.append(compare(grader, subject, name, pairs))
    return tuple(found)


def scores_by_candidate(outcomes: Sequence[Outcome]) -> dict[str, list[Mapping[str, float]]]:
    """The scores of every candidate in the order of the questions."""
    return {outcome.candidate.name: [item.scores for item in outcome.scored] for outcome in outcomes}


def _row(number: int, item: Item, outcomes: Sequence[Outcome]) -> Row:
    answers, scores, failures = {}, {}, {}
    for outcome in outcomes:
        name, scored = outcome.candidate.name, outcome.scored[number]
        answers[name] = outcome.answers[number].text
        if scored.scores:
            scores[name] = scored.scores
        if scored.failure is not None:
            failures[name] = scored.failure
    return Row(
        identity=item.identity,
        place=item.place,
        prompt=item.prompt,
        reference=item.reference,
        answers=answers,
        scores=scores,
        failures=failures,
    )


def _judge_tokens(outcome: Outcome) -> int | None:
    replies = [reply for _, reply in outcome.judged]
    counts = [*(reply.prompt_tokens for reply in replies), *(reply.completion_tokens for reply in replies)]
    return _total(counts) if counts else 0


def _total(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known and len(known) == len(numbers) else None
