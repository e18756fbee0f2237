"""An evaluation as JSON data for programs."""

from dataclasses import asdict
from typing import Any

from runner.evaluation.comparison import Comparison
from runner.evaluation.value import Evaluation, Row


def evaluation_data(evaluation: Evaluation) -> dict[str, Any]:
    """Everything an evaluation says, every question with its answers included."""
    return {
        "recipe": evaluation.recipe,
        "profile": evaluation.profile,
        "subject": evaluation.subject,
        "questions": asdict(evaluation.questions),
        "graders": list(evaluation.graders),
        "deciding_grader": evaluation.deciding_grader,
        "graders_sha256": evaluation.graders_sha256,
        "settings": {name: dict(settings) for name, settings in evaluation.settings.items()},
        "results": [asdict(result) for result in evaluation.results],
        "comparisons": [comparison_data(item) for item in evaluation.comparisons],
        "slices": [asdict(item) for item in evaluation.slices],
        "break_even": [asdict(item) for item in evaluation.break_even],
        "notes": list(evaluation.notes),
        "gate": asdict(evaluation.gate) if evaluation.gate else None,
        "rows": [_row_data(row) for row in evaluation.rows],
    }


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """A comparison with its verdict."""
    return {**asdict(comparison), "verdict": comparison.verdict}


def _row_data(row: Row) -> dict[str, Any]:
    prompt = [{"role": message.role, "content": message.content} for message in row.prompt]
    return {
        "key": row.identity.partition("\0")[0],
        "variant": row.identity.partition("\0")[2],
        "file": row.place.file,
        "row": row.place.row,
        "prompt": prompt,
        "reference": row.reference,
        "answers": dict(row.answers),
        "scores": {name: dict(scores) for name, scores in row.scores.items()},
        "failures": dict(row.failures),
    }
