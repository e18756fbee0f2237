"""A fine-tuning job of the OpenAI API, saved as JSON.

https://platform.openai.com/docs/api-reference/fine-tuning (2026-11)
"""

from collections.abc import Mapping
from typing import Any

from runner.converting.common import Site, mapping_at
from runner.converting.conversion import Conversion, Converted
from runner.examples.methods import OWN
from runner.graders.model import InvalidGraderError
from runner.graders.parse import parse_grader
from runner.graders.reading import item_names

COMMON = ("n_epochs", "batch_size", "learning_rate_multiplier")
LOST = {
    "id object created_at finished_at estimated_finish status error organization_id result_files "
    "trained_tokens fine_tuned_model checkpoints shared_with_openai eval_id usage_metrics": "what came of "
    "the job; `finetune import JOB` locks it as the recipe's",
    "validation_file": "a recipe holds out a share of its own records: `split.validation`",
    "integrations": "a recipe has none",
    "metadata": "finetune marks its jobs by itself",
}


def is_openai_job(settings: Mapping[str, Any]) -> bool:
    """Whether settings are a job of the API, or the request for one."""
    is_job = settings.get("object") == "fine_tuning.job"
    return is_job or ("training_file" in settings and "model" in settings)


def convert(settings: Mapping[str, Any], _: Site) -> Converted:
    """A recipe from a job."""
    conversion = Conversion(settings)
    conversion.put("training.provider", "openai")
    method, values, grader = _method(conversion)
    conversion.carry_all({"model": "training.model"})
    conversion.carry("method", "training.method", method)
    for name in (*COMMON, *OWN[method]):
        if values.get(name) is not None:
            conversion.carry(name, f"training.hyperparameters.{name}", values[name])
    suffix = conversion.take("user_provided_suffix") or conversion.take("suffix")
    if suffix:
        conversion.carry("suffix", "training.suffix", suffix)
    conversion.carry_all({"seed": "training.seed"})
    conversion.put("template.from", "dpo" if method == "dpo" else "openai")
    if grader is not None:
        conversion.carry("method.reinforcement.grader", "training.grader", grader)
        items = _items(grader)
        if items:
            why = "what the grader reads"
            conversion.translate("method.reinforcement.grader", "template.item", items, why)
    name = f"{conversion.take('training_file', 'training')}.jsonl"
    conversion.recipe["sources"].append({"path": name})
    text = f"sources: {name}; download the file there"
    conversion.note("training_file", "translated", text)
    conversion.lose_rest(LOST)
    return conversion.finished()


def _method(conversion: Conversion) -> tuple[str, Mapping[str, Any], Mapping[str, Any] | None]:
    """The method, its hyperparameters and its grader; both places for hyperparameters are read."""
    top = mapping_at(conversion.take("hyperparameters"), "hyperparameters")
    given = mapping_at(conversion.take("method"), "method")
    method = str(given.get("type", "supervised"))
    method = method if method in OWN else "supervised"
    inner = mapping_at(given.get(method), f"method.{method}")
    chosen = mapping_at(inner.get("hyperparameters"), f"method.{method}.hyperparameters")
    grader = inner.get("grader") and mapping_at(inner["grader"], f"method.{method}.grader")
    return method, {**top, **chosen}, grader


def _items(grader: Mapping[str, Any]) -> list[str]:
    try:
        return sorted(item_names(parse_grader(dict(grader))))
    except InvalidGraderError:
        return []
