"""What a grader's scores depend on, in words: metric, tokenizer, library, the model that judges."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from runner.canonical import sha256_bytes
from runner.graders.model import (
    Grader,
    LabelModel,
    Multi,
    PythonCode,
    ScoreModel,
    StringCheck,
    TextSimilarity,
)
from runner.graders.tokens import DESCRIPTION

_LIBRARIES = {"fuzzy_match": "rapidfuzz", "bleu": "sacrebleu", "gleu": "nltk", "meteor": "nltk"}
_TOKENIZERS = {"fuzzy_match": "characters", "bleu": "characters (sacrebleu's tokenize=char)"}


def settings_of(grader: Grader, judge: str) -> dict[str, Any]:
    """The settings of a grader; `judge` is the host where models that judge are asked."""
    if isinstance(grader, Multi):
        parts = {name: settings_of(part, judge) for name, part in grader.graders.items()}
        return {"type": grader.type, "calculate_output": grader.calculate_output, "graders": parts}
    match grader:
        case StringCheck():
            return {"type": grader.type, "operation": grader.operation}
        case TextSimilarity():
            metric = grader.evaluation_metric
            return {
                "type": grader.type,
                "metric": metric,
                "tokenizer": _TOKENIZERS.get(metric, DESCRIPTION),
                "library": _with_version(_LIBRARIES.get(metric, "rouge-score")),
            }
        case PythonCode():
            return {"type": grader.type, "source_sha256": sha256_bytes(grader.source.encode())}
        case ScoreModel() | LabelModel():
            return {"type": grader.type, "model": grader.model, "provider": judge}


def _with_version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
