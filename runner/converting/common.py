"""What several tools say alike: batches, learning rates, adapters, where data lie, whose template it is."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.converting.conversion import Conversion, number, whole
from runner.display import shown
from runner.project import Project

# The learning rates at a multiplier of 1 in local training (runner/local/training/trainer_config.py).
LOCAL_RATES = {"lora": 2e-4, "qlora": 2e-4, "none": 2e-5}
_SIGNS = set(".[]|&@*?()")
NO_COMMIT = "0" * 40
DATA_SUFFIXES = (".json", ".jsonl", ".csv", ".tsv", ".parquet", ".arrow", ".yaml", ".yml")
# What a recipe leaves to the service that trains; names are those that several tools share.
TRAINERS_OWN = {
    "bf16 fp16 tf32 fp8 float16 bfloat16 gradient_checkpointing* flash_attention flash_attn sdp_attention "
    "xformers_attention eager_attention attn_implementation torch_compile* liger_* enable_liger_kernel "
    "use_unsloth unsloth_* sample_packing packing pad_to_sequence_len neat_packing group_by_length "
    "dataloader_* dataset_processes preprocessing_num_workers dataset_prepared_path overwrite_cache "
    "tokenized_path ddp_* max_grad_norm optimizer optim optim_args lr_scheduler lr_scheduler_type "
    "lr_scheduler_kwargs cosine_* weight_decay adam_* warmup_steps warmup_ratio trust_remote_code "
    "resize_token_embeddings* low_cpu_fsdp use_fast_tokenizer upcast_*": "the service that trains chooses it",
    "deepspeed fsdp* tensor_parallel* context_parallel* sequence_parallel*": "several devices are for "
    "torchrun or accelerate, which start the service's worker",
    "logging_* eval_* evals_per_epoch eval_steps evaluation_strategy save_* saves_per_epoch save_total_limit "
    "plot_loss debug include_* report_to wandb_* mlflow_* comet_* swanlab_* use_wandb use_swanlab "
    "use_tensorboard disable_tqdm log_level": "events, checkpoints and metrics are kept of every job anyway",
    "output_dir logging_dir run_name overwrite_output_dir": "results have names of their own and lie in "
    ".finetune",
    "hub_* push_to_hub* hf_*": "nothing is published by a recipe",
    "resume_from_checkpoint auto_resume_from_checkpoints": "an interrupted job goes on by itself",
}


def carry_batch(conversion: Conversion, device_key: str) -> None:
    """The examples of an optimiser step: those of a device times the steps that are gathered."""
    device, gathered = conversion.take(device_key), conversion.take("gradient_accumulation_steps", 1)
    size, steps = whole(device), whole(gathered)
    if device is None or size is None or steps is None:
        return
    why = f"{device_key} {size} × gradient_accumulation_steps {steps}, on one device"
    conversion.translate(device_key, "training.hyperparameters.batch_size", size * steps, why)


def carry_epochs(conversion: Conversion, key: str) -> None:
    """Whole epochs; a part of one has no equal."""
    value = conversion.take(key)
    epochs = whole(value)
    if value is None:
        return
    if epochs is None or not 1 <= epochs <= 50:
        conversion.note(key, "lost", f"{value}: a recipe has whole epochs from 1 to 50")
    else:
        conversion.carry(key, "training.hyperparameters.n_epochs", epochs)


def carry_learning_rate(conversion: Conversion, adapter: str) -> None:
    """A learning rate as a multiplier of the local service's own, which is known; elsewhere it is not."""
    rate = number(conversion.take("learning_rate"))
    if rate is None:
        return
    base = LOCAL_RATES[adapter]
    if conversion.recipe["training"].get("method", "supervised") != "supervised":
        conversion.note("learning_rate", "lost", f"{rate:g}: this method has a rate of its own")
        return
    multiplier = float(f"{rate / base:.6g}")
    why = f"{rate:g}, where the local service has {base:g} at 1; other providers have other rates"
    path = "training.hyperparameters.learning_rate_multiplier"
    conversion.translate("learning_rate", path, multiplier, why)


class OddSettingsError(ValueError):
    """Settings of another shape than their tool's; the message is a sentence with the key."""


def mapping_at(value: Any, key: str) -> Mapping[str, Any]:
    """A mapping among the settings, an empty one for nothing. Raises OddSettingsError for what is none."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise OddSettingsError(f"{key}: found {shown(value)}, expected a mapping. Repair it.")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The file that is converted, the recipe that is written, and their project."""

    file: Path
    recipe: Path
    project: Project

    def source(self, given: str, folders: tuple[Path, ...]) -> tuple[str, str]:
        """The path of a data file as the recipe writes it, and words where it is not in the project."""
        for folder in folders:
            try:
                path = (folder / given).resolve()
            except ValueError:
                # No path holds a zero byte or half of a surrogate pair.
                break
            if path.is_file() and self.project.contains(path):
                relative = os.path.relpath(path, self.recipe.resolve().parent)
                return Path(relative).as_posix(), ""
        return given, "; no such file in this project"


def looks_like_a_file(given: str) -> bool:
    """Whether a dataset is named by a file rather than by its name on the hub."""
    return given.endswith(DATA_SUFFIXES) or given.startswith((".", "/"))


def hub_source(given: str, files: str) -> dict[str, Any]:
    """A source on the hub that still needs its commit."""
    return {"hub": given, "files": files, "revision": NO_COMMIT}


def inverted(roles: Mapping[str, Any]) -> dict[str, str]:
    """Roles by the names that the data have, from names by role."""
    return {
        str(name): role
        for role, names in roles.items()
        for name in (names if isinstance(names, list) else [names])
    }


def use_template(conversion: Conversion, template: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    """Write the template and fields; a system message that was set before stands in front."""
    system = conversion.recipe["template"].get("system")
    made = dict(template)
    if system and "messages" in made:
        messages = made["messages"]
        listed = messages if isinstance(messages, list) else [messages]
        made["messages"] = [{"role": "system", "content": system}, *listed]
    elif system:
        made["system"] = system
    conversion.recipe["template"] = made
    if fields:
        conversion.put("fields", {name: _path(column) for name, column in fields.items()})


def _path(column: Any) -> Any:
    """A column as a path: one with a sign of JMESPath in its name needs quotes."""
    return (
        json.dumps(column, ensure_ascii=False) if isinstance(column, str) and _SIGNS & set(column) else column
    )
