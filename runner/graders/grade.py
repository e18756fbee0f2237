"""Applies a grader to one answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, assert_never

from runner.graders.code import CodeError, CodeKilledError, CodeLimits, run_code
from runner.graders.formula import FormulaError, read_formula
from runner.graders.judge import (
    Chat,
    JudgeAnswerError,
    JudgeUnavailableError,
    label_question,
    read_label,
    read_score,
    score_question,
)
from runner.graders.model import (
    Grader,
    JudgingGrader,
    LabelModel,
    Multi,
    PythonCode,
    ScoreModel,
    SingleGrader,
    StringCheck,
    TextSimilarity,
)
from runner.graders.similarity import similarity
from runner.graders.template import Sample, TemplateError, fill

# The names of the flags in the answer of OpenAI's graders/run.
Failure = Literal[
    "formula_parse_error",
    "invalid_variable_error",
    "other_error",
    "python_grader_runtime_error",
    "python_grader_server_error",
    "model_grader_parse_error",
    "model_grader_server_error",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What graders may use besides the texts: a place to ask models, and Python where `allow_code`."""

    chat: Chat | None = None
    allow_code: bool = False
    code_limits: CodeLimits = field(default_factory=CodeLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The outcome of grading one answer; with a `failure` the score is 0 and `details` says why."""

    score: float
    failure: Failure | None = None
    details: str = ""
    n_tokens: int | None = None
    parts: Mapping[str, "Grade"] = field(default_factory=dict)


def grade(grader: Grader, sample: Sample, item: Mapping[str, Any], means: Means) -> Grade:
    """Grade one answer; what goes wrong on the way is in the grade. Raises MissingExtraError."""
    if isinstance(grader, Multi):
        return _grade_multi(grader, sample, item, means)
    try:
        return _grade_single(grader, sample, item, means)
    except TemplateError as error:
        return _failed("invalid_variable_error", error)
    except CodeError as error:
        return _failed("python_grader_runtime_error", error)
    except CodeKilledError as error:
        return _failed("python_grader_server_error", error)
    except JudgeUnavailableError as error:
        return _failed("model_grader_server_error", error)
    except JudgeAnswerError as error:
        return _failed("model_grader_parse_error", error)


def code_graders(grader: Grader) -> bool:
    """Whether a grader runs Python."""
    return any(isinstance(single, PythonCode) for single in _singles(grader))


def judging_models(grader: Grader) -> list[str]:
    """The models that a grader asks."""
    return [part.model for part in judging_parts(grader)]


def judging_parts(grader: Grader) -> list[JudgingGrader]:
    """The grader itself, or the parts of a multi grader, where they ask a model."""
    return [single for single in _singles(grader) if isinstance(single, JudgingGrader)]


def _singles(grader: Grader) -> list[SingleGrader]:
    return list(grader.graders.values()) if isinstance(grader, Multi) else [grader]


def _grade_multi(grader: Multi, sample: Sample, item: Mapping[str, Any], means: Means) -> Grade:
    parts = {name: grade(part, sample, item, means) for name, part in grader.graders.items()}
    used = [part.n_tokens for part in parts.values() if part.n_tokens is not None]
    n_tokens = sum(used) if used else None
    failed = next((part for part in parts.values() if part.failure is not None), None)
    try:
        score = read_formula(grader.calculate_output).value(
            {name: part.score for name, part in parts.items()}
        )
    except FormulaError as error:
        return Grade(
            score=0.0, failure="formula_parse_error", details=str(error), n_tokens=n_tokens, parts=parts
        )
    if failed is None:
        return Grade(score=score, n_tokens=n_tokens, parts=parts)
    # A score made from a part that failed would look like a judgement.
    return Grade(score=0.0, failure=failed.failure, details=failed.details, n_tokens=n_tokens, parts=parts)


def _grade_single(grader: SingleGrader, sample: Sample, item: Mapping[str, Any], means: Means) -> Grade:
    match grader:
        case StringCheck():
            texts = fill(grader.input, sample, item), fill(grader.reference, sample, item)
            return Grade(score=float(_holds(grader.operation, *texts)))
        case TextSimilarity():
            texts = fill(grader.input, sample, item), fill(grader.reference, sample, item)
            return Grade(score=similarity(grader.evaluation_metric, *texts))
        case PythonCode():
            if not means.allow_code:
                raise CodeKilledError("running code was not allowed")
            return Grade(score=run_code(grader.source, sample, item, means.code_limits))
        case ScoreModel():
            reply = _chat(means)(score_question(grader, sample, item))
            return Grade(score=read_score(grader, reply.text), n_tokens=reply.n_tokens)
        case LabelModel():
            reply = _chat(means)(label_question(grader, sample, item))
            passes = read_label(grader, reply.text) in grader.passing_labels
            return Grade(score=float(passes), n_tokens=reply.n_tokens)
        case _:
            assert_never(grader)


def _holds(operation: str, text: str, reference: str) -> bool:
    if operation == "eq":
        return text == reference
    if operation == "ne":
        return text != reference
    return reference in text if operation == "like" else reference.casefold() in text.casefold()


def _chat(means: Means) -> Chat:
    if means.chat is None:
        raise JudgeUnavailableError("there is no model to ask")
    return means.chat


def _failed(failure: Failure, error: Exception) -> Grade:
    return Grade(score=0.0, failure=failure, details=str(error))
