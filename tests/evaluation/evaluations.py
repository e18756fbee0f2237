"""Evaluations from nothing but scores."""

from collections.abc import Sequence
from dataclasses import replace

from runner.evaluation.ask import Answer
from runner.evaluation.assemble import Outcome, comparisons_of, result_of, rows_of
from runner.evaluation.candidates import Candidate
from runner.evaluation.items import Item, set_sha256
from runner.evaluation.scores import Scored
from runner.evaluation.value import Evaluation, Questions
from tests.evaluation.examples import item

GRADER = "exact"


def items(n: int) -> tuple[Item, ...]:
    """Some questions."""
    return tuple(item(str(number), f"질문 {number}", f"답 {number}", row=number + 1) for number in range(n))


def outcome(name: str, scores: Sequence[float | None]) -> Outcome:
    """What a candidate scored by one grader; None is a question that failed."""
    answers = [
        Answer(failure="busy") if score is None else Answer(text=f"{name} {number}", latency_s=number + 1.0)
        for number, score in enumerate(scores)
    ]
    scored = [
        Scored(scores={}, failure="busy") if score is None else Scored(scores={GRADER: score})
        for score in scores
    ]
    candidate = Candidate(name=name, provider="local", model=f"{name}-1")
    return Outcome(candidate=candidate, answers=answers, scored=scored)


def evaluation(**scores: Sequence[float | None]) -> Evaluation:
    """The evaluation of the first candidate against the others."""
    outcomes = [outcome(name, given) for name, given in scores.items()]
    asked = items(len(outcomes[0].scored))
    rows = rows_of(asked, outcomes)
    subject, *others = scores
    return Evaluation(
        recipe="faq",
        profile="default",
        subject=subject,
        questions=Questions(on="validation", sha256=set_sha256(asked), n=len(asked)),
        graders=(GRADER,),
        graders_sha256="9" * 64,
        results=tuple(result_of(each, [GRADER]) for each in outcomes),
        comparisons=comparisons_of(subject, rows, others, [GRADER]),
        rows=rows,
    )


def by_two_graders(found: Evaluation, first: str) -> Evaluation:
    """The same by a grader before its own, which finds everything the other way round."""
    rows = tuple(
        replace(
            row,
            scores={
                name: {first: 1.0 - given[GRADER], **given} for name, given in row.scores.items() if given
            },
        )
        for row in found.rows
    )
    names = (first, GRADER)
    others = [result.name for result in found.results if result.name != found.subject]
    compared = comparisons_of(found.subject, rows, others, names)
    return replace(found, graders=names, rows=rows, comparisons=compared)


def with_questions(found: Evaluation, sha256: str) -> Evaluation:
    """The same about another set of questions."""
    return replace(found, questions=replace(found.questions, sha256=sha256))
