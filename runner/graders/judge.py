"""Asks a model to judge an answer."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from runner.graders.model import JudgingGrader, LabelModel, ScoreModel
from runner.graders.template import Sample, fill

# A place in a template where something of the answer stands.
_ANSWER = re.compile(r"\{\{\s*sample\b.*?\}\}", re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A chat request; the answer should be JSON of `schema`, which the asked one may be able to enforce."""

    model: str
    messages: tuple[Mapping[str, str], ...]
    schema: Mapping[str, Any]
    sampling: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a model answered, and the tokens of question and answer together."""

    text: str
    n_tokens: int


class Chat(Protocol):
    """Where judging models are asked."""

    def __call__(self, question: Question) -> Reply:
        """Ask and wait. Raises JudgeUnavailableError."""


class JudgeUnavailableError(Exception):
    """The judging model could not answer; the text says why."""


class JudgeAnswerError(ValueError):
    """The judging model answered something else than was asked for."""


def question_of(grader: JudgingGrader, sample: Sample, item: Mapping[str, Any]) -> Question:
    """Write the question of a grader that asks a model. Raises TemplateError."""
    if isinstance(grader, ScoreModel):
        return score_question(grader, sample, item)
    return label_question(grader, sample, item)


def longest_question(grader: JudgingGrader, answer_bytes: int, item: Mapping[str, Any]) -> Question:
    """Write the question about an answer of so many bytes, all of which stand wherever a part of it would.

    Raises TemplateError.
    """
    turns = tuple(
        replace(turn, content=_ANSWER.sub("{{ sample.output_text }}", turn.content)) for turn in grader.input
    )
    return question_of(replace(grader, input=turns), Sample(output_text="x" * answer_bytes), item)


def score_question(grader: ScoreModel, sample: Sample, item: Mapping[str, Any]) -> Question:
    """Write the question of a score_model grader. Raises TemplateError."""
    low, high = grader.range
    schema = _schema({"type": "number", "minimum": low, "maximum": high})
    wanted = (
        f'Answer with JSON of the form {{"result": <a number from {low:g} to {high:g}>}} and nothing else.'
    )
    return _question(grader, wanted, schema, grader.sampling_params, sample, item)


def label_question(grader: LabelModel, sample: Sample, item: Mapping[str, Any]) -> Question:
    """Write the question of a label_model grader. Raises TemplateError."""
    labels = ", ".join(json.dumps(label, ensure_ascii=False) for label in grader.labels)
    wanted = f'Answer with JSON of the form {{"result": <one of {labels}>}} and nothing else.'
    return _question(grader, wanted, _schema({"enum": list(grader.labels)}), {}, sample, item)


def read_score(grader: ScoreModel, text: str) -> float:
    """Read the number out of an answer. Raises JudgeAnswerError when there is none in the grader's range."""
    result = _result(text)
    if isinstance(result, str):
        found = _NUMBER.fullmatch(result.strip())
        result = float(found[0]) if found else None
    if not isinstance(result, int | float) or isinstance(result, bool):
        raise JudgeAnswerError(f"the answer is not a number: {text[:80]!r}")
    low, high = grader.range
    if not low <= result <= high:
        raise JudgeAnswerError(f"{result:g} is not from {low:g} to {high:g}")
    return float(result)


def read_label(grader: LabelModel, text: str) -> str:
    """Read the label out of an answer. Raises JudgeAnswerError when it is none of the grader's."""
    result = _result(text)
    label = result.strip() if isinstance(result, str) else ""
    if label not in grader.labels:
        raise JudgeAnswerError(f"the answer is none of the labels: {text[:80]!r}")
    return label


def _question(  # noqa: PLR0913 - the parts of one request
    grader: ScoreModel | LabelModel,
    wanted: str,
    schema: Mapping[str, Any],
    sampling: Mapping[str, Any],
    sample: Sample,
    item: Mapping[str, Any],
) -> Question:
    turns = [{"role": turn.role, "content": fill(turn.content, sample, item)} for turn in grader.input]
    messages = ({"role": "system", "content": wanted}, *turns)
    return Question(model=grader.model, messages=messages, schema=schema, sampling=sampling)


def _schema(result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"result": result},
        "required": ["result"],
        "additionalProperties": False,
    }


def _result(text: str) -> Any:
    """What an answer says: `result` of its JSON, JSON itself, or the bare text."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return content.get("result") if isinstance(content, dict) else content
