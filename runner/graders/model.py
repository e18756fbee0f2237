"""Graders as values, under the names of the OpenAI API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Operation = Literal["eq", "ne", "like", "ilike"]
Metric = Literal[
    "fuzzy_match",
    "bleu",
    "gleu",
    "meteor",
    "rouge_1",
    "rouge_2",
    "rouge_3",
    "rouge_4",
    "rouge_5",
    "rouge_l",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StringCheck:
    """1 where a comparison of two texts holds, else 0; `like` asks whether the input holds the reference."""

    name: str
    input: str
    reference: str
    operation: Operation
    type: Literal["string_check"] = field(default="string_check", init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSimilarity:
    """How alike two texts are, from 0 to 1."""

    name: str
    input: str
    reference: str
    evaluation_metric: Metric
    type: Literal["text_similarity"] = field(default="text_similarity", init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonCode:
    """What a function `grade(sample, item)` returns."""

    name: str
    source: str
    image_tag: str | None = None
    type: Literal["python"] = field(default="python", init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message to a judging model; the content is a template."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreModel:
    """The number that a model answers, in `range`."""

    name: str
    model: str
    input: tuple[Turn, ...]
    range: tuple[float, float] = (0.0, 1.0)
    sampling_params: Mapping[str, Any] = field(default_factory=dict)
    type: Literal["score_model"] = field(default="score_model", init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelModel:
    """1 where the label that a model chooses is among the passing ones, else 0."""

    name: str
    model: str
    input: tuple[Turn, ...]
    labels: tuple[str, ...]
    passing_labels: tuple[str, ...]
    type: Literal["label_model"] = field(default="label_model", init=False)


JudgingGrader = ScoreModel | LabelModel
SingleGrader = StringCheck | TextSimilarity | PythonCode | JudgingGrader


@dataclass(frozen=True, slots=True, kw_only=True)
class Multi:
    """A formula over the scores of named graders."""

    name: str
    graders: Mapping[str, SingleGrader]
    calculate_output: str
    type: Literal["multi"] = field(default="multi", init=False)


Grader = SingleGrader | Multi


class InvalidGraderError(ValueError):
    """A grader cannot be used as it is written; `path` names the place inside it."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{message} - '{path}'")
        self.path = path
