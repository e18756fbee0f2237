"""The questions that tell candidates apart, for a browser of wins and losses without a script."""

from collections.abc import Sequence
from typing import Any

from runner.display import one_line
from runner.evaluation.comparison import EPSILON
from runner.evaluation.value import Evaluation, Row

SHOWN_ROWS = 200
TEXT_CHARACTERS = 2_000
# Together with everything else, a report stays below five megabytes.
ALL_CHARACTERS = 1_200_000
# As many as the style sheet has columns and filters for.
MAX_CANDIDATES = 6
MAX_RIVALS = 5


def answer_browser(evaluation: Evaluation) -> dict[str, Any] | None:
    """The rows by how much they tell the subject and its first rival apart, by the grader that decides."""
    if not evaluation.rows or not evaluation.graders:
        return None
    grader, subject = evaluation.deciding_grader, evaluation.subject
    rivals = [result.name for result in evaluation.results if result.name != subject]
    # The terminal shows the wins and losses against the last.
    rivals = list(reversed(rivals))[:MAX_RIVALS]
    names = [subject, *rivals][:MAX_CANDIDATES]
    ordered = sorted(evaluation.rows, key=lambda row: -_apart(row, subject, rivals, grader))
    rows, room = [], ALL_CHARACTERS
    for row in ordered[:SHOWN_ROWS]:
        made = _row(row, subject, rivals, names, grader)
        room -= sum(len(text) for _, text in made["turns"])
        if room < 0:
            break
        rows.append(made)
    return {
        "subject": subject,
        "grader": grader,
        "rivals": rivals,
        "names": names,
        "outcomes": [("every", "all"), ("won", "won"), ("lost", "lost"), ("equal", "equal")],
        "rows": rows,
        "note": _note(len(rows), evaluation),
    }


def _note(shown: int, evaluation: Evaluation) -> str:
    total = len(evaluation.rows)
    if shown == total:
        return f"All {total:,} questions, those first that tell the candidates apart most."
    return (
        f"The {shown:,} of {total:,} questions that tell the candidates apart most; "
        "`finetune eval --json` has all."
    )


def _apart(row: Row, subject: str, rivals: Sequence[str], grader: str) -> float:
    scores = [row.scores.get(name, {}).get(grader) for name in (subject, *rivals)]
    known = [score for score in scores if score is not None]
    first, other = scores[0], scores[1] if len(scores) > 1 else None
    if first is not None and other is not None:
        return abs(first - other)
    return max(known, default=0.0) - min(known, default=0.0)


def _row(row: Row, subject: str, rivals: Sequence[str], names: Sequence[str], grader: str) -> dict[str, Any]:
    scores = {name: row.scores.get(name, {}).get(grader) for name in names}
    known = [score for score in scores.values() if score is not None]
    # Where all are equal, none is the best.
    best = max(known) if len(set(known)) > 1 else None
    question = next((message.content for message in reversed(row.prompt) if message.role == "user"), "")
    return {
        "question": one_line(question or row.identity, limit=200),
        "classes": " ".join(
            f"{_outcome(scores[subject], scores.get(rival))}{place}" for place, rival in enumerate(rivals)
        ),
        "cells": [
            {
                "name": name,
                "text": "failed" if score is None else f"{score:.3f}",
                "best": score is not None and score == best,
            }
            for name, score in scores.items()
        ],
        "turns": [
            *((message.role, _cut(message.content)) for message in row.prompt),
            ("reference", _cut(row.reference)),
            *((name, _cut(_answer(row, name))) for name in names),
        ],
        "place": str(row.place),
    }


def _answer(row: Row, name: str) -> str:
    failure = row.failures.get(name)
    return f"failed: {failure}" if failure is not None else row.answers.get(name, "")


def _outcome(score: float | None, other: float | None) -> str:
    if score is None or other is None:
        return "f"
    return "w" if score - other > EPSILON else "l" if other - score > EPSILON else "e"


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_CHARACTERS else f"{text[:TEXT_CHARACTERS]}…"
