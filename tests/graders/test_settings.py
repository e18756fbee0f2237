"""What the lockfile says of graders can be read."""

from importlib.metadata import version
from typing import Any

import pytest

from runner.graders.parse import parse_grader
from runner.graders.settings import settings_of
from runner.graders.tokens import DESCRIPTION

TURNS = [{"role": "user", "content": "{{ sample.output_text }}"}]
TEXTS = {"input": "{{ sample.output_text }}", "reference": "{{ item.reference }}"}
SCORE = {"type": "score_model", "name": "judge", "model": "m-1", "input": TURNS, "range": [0, 10]}
CHECK = {"type": "string_check", "name": "says", "operation": "ilike", **TEXTS}


def alike(metric: str) -> dict[str, Any]:
    return {"type": "text_similarity", "name": metric, "evaluation_metric": metric, **TEXTS}


@pytest.mark.parametrize(
    ("metric", "tokenizer", "library"),
    [
        ("rouge_l", DESCRIPTION, "rouge-score"),
        ("gleu", DESCRIPTION, "nltk"),
        ("meteor", DESCRIPTION, "nltk"),
        ("bleu", "characters (sacrebleu's tokenize=char)", "sacrebleu"),
        ("fuzzy_match", "characters", "rapidfuzz"),
    ],
)
def test_a_metric_names_its_tokenizer_and_library(metric: str, tokenizer: str, library: str) -> None:
    assert {
        "type": "text_similarity",
        "metric": metric,
        "tokenizer": tokenizer,
        "library": f"{library} {version(library)}",
    } == settings_of(parse_grader(alike(metric)), "openai")


def test_others_name_what_they_depend_on() -> None:
    parts = {"says": CHECK, "judge": SCORE}
    multi = {"type": "multi", "name": "both", "graders": parts, "calculate_output": "says + judge"}

    assert {
        "type": "multi",
        "calculate_output": "says + judge",
        "graders": {
            "says": {"type": "string_check", "operation": "ilike"},
            "judge": {"type": "score_model", "model": "m-1", "provider": "openai"},
        },
    } == settings_of(parse_grader(multi), "openai")
