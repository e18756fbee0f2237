"""Reads graders from JSON data."""

import ast
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

from runner.graders.formula import FormulaError, read_formula
from runner.graders.model import (
    Grader,
    InvalidGraderError,
    LabelModel,
    Metric,
    Multi,
    Operation,
    PythonCode,
    ScoreModel,
    SingleGrader,
    StringCheck,
    TextSimilarity,
    Turn,
)
from runner.graders.similarity import UNSUPPORTED
from runner.graders.template import TemplateError, check_template

# As Azure documents it for the same graders (2026-11); OpenAI's own limit was not found.
MAX_SOURCE_BYTES = 256 * 1024
ROLES = ("user", "assistant", "system", "developer")
TEXT_TYPES = ("input_text", "output_text", "text")
FIELDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "string_check": (("name", "input", "reference", "operation"), ()),
    "text_similarity": (("name", "input", "reference", "evaluation_metric"), ()),
    "python": (("name", "source"), ("image_tag",)),
    "score_model": (("name", "model", "input"), ("range", "sampling_params")),
    "label_model": (("name", "model", "input", "labels", "passing_labels"), ()),
    "multi": (("name", "graders", "calculate_output"), ()),
}
SAMPLING = ("seed", "top_p", "temperature", "max_completions_tokens", "reasoning_effort")


def parse_grader(value: Any, path: str = "grader") -> Grader:
    """Read one grader; `path` is where it stands. Raises InvalidGraderError for the first problem."""
    kind, fields = _fields(value, path)
    if kind == "multi":
        return _multi(fields, path)
    return _single(kind, fields, path)


def _fields(value: Any, path: str) -> tuple[str, dict[str, Any]]:
    if not isinstance(value, dict):
        raise InvalidGraderError(path, "a grader is an object")
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in FIELDS:
        raise InvalidGraderError(f"{path}.type", f"{kind!r} is not one of {list(FIELDS)}")
    required, optional = FIELDS[kind]
    for name in required:
        if value.get(name) is None:
            raise InvalidGraderError(f"{path}.{name}", f"a {kind} grader needs '{name}'")
    for name in value:
        if name not in ("type", *required, *optional):
            raise InvalidGraderError(f"{path}.{name}", f"a {kind} grader has no '{name}'")
    return kind, {name: given for name, given in value.items() if name != "type" and given is not None}


def _single(kind: str, fields: Mapping[str, Any], path: str) -> SingleGrader:
    name = _text(fields, "name", path)
    if kind == "string_check":
        operation = cast(Operation, _choice(fields, "operation", get_args(Operation), path))
        return StringCheck(name=name, operation=operation, **_texts(fields, path))
    if kind == "text_similarity":
        metric = fields["evaluation_metric"]
        if metric in UNSUPPORTED:
            raise InvalidGraderError(f"{path}.evaluation_metric", UNSUPPORTED[metric])
        metric = cast(Metric, _choice(fields, "evaluation_metric", get_args(Metric), path))
        return TextSimilarity(name=name, evaluation_metric=metric, **_texts(fields, path))
    if kind == "python":
        return PythonCode(name=name, source=_source(fields, path), image_tag=fields.get("image_tag"))
    model, turns = _text(fields, "model", path), _turns(fields["input"], f"{path}.input")
    if kind == "score_model":
        sampling = _sampling(fields.get("sampling_params", {}), f"{path}.sampling_params")
        score_range = _range(fields.get("range", [0, 1]), f"{path}.range")
        return ScoreModel(name=name, model=model, input=turns, range=score_range, sampling_params=sampling)
    labels = _labels(fields["labels"], f"{path}.labels")
    passing = _labels(fields["passing_labels"], f"{path}.passing_labels")
    for label in passing:
        if label not in labels:
            raise InvalidGraderError(f"{path}.passing_labels", f"'{label}' is not one of the labels")
    return LabelModel(name=name, model=model, input=turns, labels=labels, passing_labels=passing)


def _multi(fields: Mapping[str, Any], path: str) -> Multi:
    name, graders = _text(fields, "name", path), _named_graders(fields["graders"], f"{path}.graders")
    text, place = _text(fields, "calculate_output", path), f"{path}.calculate_output"
    try:
        unknown = sorted(read_formula(text).names - set(graders))
    except FormulaError as error:
        raise InvalidGraderError(place, str(error)) from error
    if unknown:
        raise InvalidGraderError(place, f"'{unknown[0]}' is not one of the graders {sorted(graders)}")
    return Multi(name=name, graders=graders, calculate_output=text)


def _named_graders(value: Any, path: str) -> dict[str, SingleGrader]:
    if not isinstance(value, dict) or not value:
        raise InvalidGraderError(path, "expected an object of named graders")
    if isinstance(value.get("type"), str):
        # One grader on its own, as OpenAI's published document has it; its name is its key.
        value, path = {str(value.get("name")): value}, path.removesuffix(".graders")
    graders: dict[str, SingleGrader] = {}
    for key, given in value.items():
        kind, fields = _fields(given, f"{path}.{key}")
        if kind == "multi":
            raise InvalidGraderError(f"{path}.{key}", "a multi grader cannot hold another one")
        graders[key] = _single(kind, fields, f"{path}.{key}")
    return graders


def _texts(fields: Mapping[str, Any], path: str) -> dict[str, str]:
    return {name: _template(_text(fields, name, path), f"{path}.{name}") for name in ("input", "reference")}


def _template(text: str, path: str) -> str:
    try:
        check_template(text)
    except TemplateError as error:
        raise InvalidGraderError(path, str(error)) from error
    return text


def _text(fields: Mapping[str, Any], name: str, path: str) -> str:
    if not isinstance(fields[name], str):
        raise InvalidGraderError(f"{path}.{name}", f"{fields[name]!r} is not of type 'string'")
    return str(fields[name])


def _choice(fields: Mapping[str, Any], name: str, choices: Sequence[str], path: str) -> str:
    if fields[name] not in choices:
        raise InvalidGraderError(f"{path}.{name}", f"{fields[name]!r} is not one of {list(choices)}")
    return str(fields[name])


def _source(fields: Mapping[str, Any], path: str) -> str:
    source = _text(fields, "source", path)
    size_bytes = len(source.encode("utf-8", "replace"))
    if size_bytes > MAX_SOURCE_BYTES:
        message = f"the source has {size_bytes} bytes; at most {MAX_SOURCE_BYTES} are allowed"
        raise InvalidGraderError(f"{path}.source", message)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise InvalidGraderError(f"{path}.source", f"the source is not Python: {error}") from error
    if not any(_names_grade(node) for node in ast.walk(tree)):
        raise InvalidGraderError(f"{path}.source", "the source defines no function grade(sample, item)")
    return source


def _names_grade(node: ast.AST) -> bool:
    """Whether a piece of Python may be what defines `grade`."""
    match node:
        case ast.FunctionDef(name="grade") | ast.Name(id="grade", ctx=ast.Store()):
            return True
        case ast.alias(name=name, asname=asname):
            return (asname or name) in ("grade", "*")
    return False


def _turns(value: Any, path: str) -> tuple[Turn, ...]:
    if not isinstance(value, list) or not value:
        raise InvalidGraderError(path, "expected a list of messages")
    return tuple(_turn(turn, f"{path}.{number}") for number, turn in enumerate(value))


def _turn(value: Any, path: str) -> Turn:
    if not isinstance(value, dict) or value.get("type", "message") != "message":
        raise InvalidGraderError(path, "expected a message with role and content")
    if value.get("role") not in ROLES:
        raise InvalidGraderError(f"{path}.role", f"{value.get('role')!r} is not one of {list(ROLES)}")
    content = value.get("content")
    parts = content if isinstance(content, list) else [content]
    text = "".join(_content(part, f"{path}.content") for part in parts)
    return Turn(role=value["role"], content=_template(text, f"{path}.content"))


def _content(part: Any, path: str) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.get("type") in TEXT_TYPES and isinstance(part.get("text"), str):
        return str(part["text"])
    raise InvalidGraderError(path, "expected text; pictures and sound are not supported on this machine")


def _range(value: Any, path: str) -> tuple[float, float]:
    numbers = [bound for bound in value if _is_number(bound)] if isinstance(value, list) else []
    if len(numbers) != 2 or len(value) != 2 or not numbers[0] < numbers[1]:
        raise InvalidGraderError(path, f"{value!r} is not two rising numbers")
    return float(numbers[0]), float(numbers[1])


def _sampling(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidGraderError(path, "expected an object")
    for name, given in value.items():
        if name not in SAMPLING:
            raise InvalidGraderError(f"{path}.{name}", f"there is no '{name}'")
        if given is not None and name != "reasoning_effort" and not _is_number(given):
            raise InvalidGraderError(f"{path}.{name}", f"{given!r} is not a number")
    return {name: given for name, given in value.items() if given is not None}


def _labels(value: Any, path: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(label, str) for label in value):
        raise InvalidGraderError(path, "expected a list of labels")
    return tuple(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
