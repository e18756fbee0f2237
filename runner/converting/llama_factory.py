"""LLaMA-Factory: https://github.com/hiyouga/LLaMA-Factory, examples/ and data/README.md (2026-11)."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.converting.common import (
    TRAINERS_OWN,
    Site,
    carry_batch,
    carry_epochs,
    carry_learning_rate,
    hub_source,
    mapping_at,
    use_template,
)
from runner.converting.conversion import Conversion, Converted, number, whole
from runner.display import shown
from runner.errors import RunnerError

# What a recipe has under another name.
SAME = {
    "model_name_or_path": "training.model",
    "seed": "training.seed",
    "lora_rank": "training.options.lora_r",
    "lora_alpha": "training.options.lora_alpha",
    "load_best_model_at_end": "training.options.load_best_model_at_end",
    "default_system": "template.system",
}
# Why other keys are lost: names with blanks between them, a star for any ending.
LOST = {
    **TRAINERS_OWN,
    "cutoff_len": "an example longer than the model's context is an error here; nothing is cut",
    "template": "the model's own chat template is used",
    "lora_target additional_target loraplus_* use_dora use_rslora pissa_* oft_*": "adapters are put on all "
    "linear layers",
    "eval_dataset mix_strategy interleave_probs": "a recipe reads its sources one after the other and holds "
    "out a share of them: `split.validation`",
    "do_train do_eval do_predict predict_with_generate": "`finetune run` trains, `finetune eval` asks",
    "train_on_prompt mask_history": "answers alone are learnt; weights of messages say which",
    "max_steps": "a recipe counts epochs",
    "pref_loss pref_ftx simpo_gamma kto_* ref_model* reward_model*": "dpo has its own loss here",
    "adapter_name_or_path": "train another recipe's result further: `training.model: {recipe: …}`",
    "quantization_method rope_scaling": "the service that trains chooses it",
    "image_* video_* freeze_vision_tower freeze_multi_modal_projector": "local training reads text alone",
}
STAGES = {"sft": "supervised", "dpo": "dpo", "kto": "supervised"}
# The columns of dataset_info.json, and what the formats of recipes call them.
COLUMNS = {
    "alpaca": {"prompt": "instruction", "query": "input", "response": "output"},
    "sharegpt": {"messages": "conversations"},
}
SHARED = ("system", "history", "tools", "chosen", "rejected")
_ROLE_TAGS = {
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "tool",
    "system_tag": "system",
}
_KEYS = ("from", "role", "speaker"), ("value", "content", "text")
INFO = "dataset_info.json"
MAX_INFO_BYTES = 16 << 20


def is_llama_factory(settings: Mapping[str, Any]) -> bool:
    """Whether settings look like LLaMA-Factory's."""
    return "model_name_or_path" in settings and ("stage" in settings or "finetuning_type" in settings)


def convert(settings: Mapping[str, Any], site: Site) -> Converted:
    """A recipe from LLaMA-Factory's settings and its dataset_info.json. Raises RunnerError."""
    conversion = Conversion(settings)
    conversion.carry_all(SAME)
    adapter = _carry_adapter(conversion)
    stage = str(conversion.take("stage", "sft"))
    if stage not in STAGES:
        raise RunnerError(
            f"{site.file}: found the stage '{stage}', expected sft, dpo or kto. No recipe trains so."
        )
    if stage == "kto":
        conversion.translate("stage", "training.method", "supervised", "the wanted answers are learnt")
    else:
        conversion.carry("stage", "training.method", STAGES[stage])
    beta = number(conversion.take("pref_beta"))
    if stage == "dpo" and beta is not None:
        conversion.carry("pref_beta", "training.hyperparameters.beta", beta)
    _carry_datasets(conversion, site)
    share = number(conversion.take("val_size"))
    if share and share < 1:
        conversion.carry("val_size", "split.validation", share)
    elif share:
        conversion.note("val_size", "lost", f"{share:g} records: a recipe holds out a share")
    carry_epochs(conversion, "num_train_epochs")
    carry_batch(conversion, "per_device_train_batch_size")
    carry_learning_rate(conversion, adapter)
    conversion.lose_rest(LOST)
    return conversion.finished()


def _carry_adapter(conversion: Conversion) -> str:
    kind, bits = conversion.take("finetuning_type", "lora"), conversion.take("quantization_bit")
    name = "none" if kind != "lora" else "qlora" if whole(bits) == 4 else "lora"
    if kind in ("lora", "full"):
        conversion.carry("finetuning_type", "training.options.adapter", name)
    else:
        conversion.note("finetuning_type", "lost", f"{kind}: adapters or all weights are trained")
    dropout = number(conversion.take("lora_dropout"))
    if dropout:
        conversion.carry("lora_dropout", "training.options.lora_dropout", dropout)
    return name


def _carry_datasets(conversion: Conversion, site: Site) -> None:
    names = conversion.take("dataset", "")
    listed = names if isinstance(names, list) else str(names).split(",")
    folder, known = _dataset_info(str(conversion.take("dataset_dir", "data")), site)
    limit = whole(conversion.take("max_samples"))
    first: tuple[Any, Any] | None = None
    for name in (str(item).strip() for item in listed if str(item).strip()):
        key = f"dataset {name}"
        if name not in known:
            where = site.project.name_of(folder / INFO) if folder else f"any {INFO} of the project"
            conversion.note(key, "lost", f"not in {where}; write its source by hand")
            continue
        entry = mapping_at(known[name], f"{INFO}: {name}")
        mapping = _mapping(entry, name)
        if first is None:
            first = mapping
            fields, template = mapping
            use_template(conversion, template, fields)
            conversion.note(key, "translated", f"template: {_told(template, fields)}")
        elif mapping != first:
            text = "its records are read in another way than those before; make a recipe of its own for it"
            conversion.note(key, "lost", text)
            continue
        source = _source(conversion, entry, key, (folder, site))
        if limit is not None:
            source["limit"] = limit
        conversion.recipe["sources"].append(source)
    if limit is not None:
        conversion.note("max_samples", "carried", f"sources[].limit: {limit}")


def _dataset_info(given: str, site: Site) -> tuple[Path | None, dict[str, Any]]:
    """The folder of dataset_info.json and what it says; looked for from the file up to the project's root."""
    folders = [Path.cwd(), *site.file.resolve().parents]
    for base in folders:
        path = base / given / INFO
        if _is_a_name(given) and site.project.contains(path) and path.is_file():
            try:
                with path.open("rb") as stream:
                    known = json.loads(stream.read(MAX_INFO_BYTES))
            except (OSError, ValueError, RecursionError) as error:
                raise RunnerError(
                    f"{site.project.name_of(path)}: cannot be read as JSON. Repair it."
                ) from error
            return path.parent, known if isinstance(known, dict) else {}
    return None, {}


def _is_a_name(given: str) -> bool:
    # No path holds a zero byte or half of a surrogate pair.
    return not re.search("[\0\ud800-\udfff]", given)


def _source(
    conversion: Conversion, entry: Mapping[str, Any], key: str, where: tuple[Path | None, Site]
) -> dict[str, Any]:
    folder, site = where
    if "file_name" in entry:
        given = str(entry["file_name"])
        path, missing = site.source(given, (folder,) if folder else ())
        conversion.note(key, "carried", f"sources: {path}{missing}")
        return {"path": path}
    named = str(entry.get("hf_hub_url") or entry.get("ms_hub_url") or entry.get("script_url") or "")
    text = f"sources: the hub's {shown(named)}; say its commit under `revision` and its `files`"
    conversion.note(key, "translated", text)
    return hub_source(named, "**/*.parquet")


def _mapping(entry: Mapping[str, Any], name: str) -> tuple[dict[str, str], dict[str, Any]]:
    """The fields and the template for the records of a dataset."""
    form = "sharegpt" if entry.get("formatting") == "sharegpt" else "alpaca"
    columns, tags = (mapping_at(entry.get(key), f"{INFO}: {name}.{key}") for key in ("columns", "tags"))
    names = {**COLUMNS[form], **{name: name for name in SHARED}, "kto_tag": "label"}
    is_judged = bool(entry.get("ranking")) or "kto_tag" in columns
    if form == "alpaca" and is_judged:
        names["response"] = "completion"
    fields = {names[name]: str(column) for name, column in columns.items() if name in names}
    fields = {name: column for name, column in fields.items() if name != column}
    shape = "dpo" if entry.get("ranking") else "kto" if "kto_tag" in columns else form
    roles = {str(tags[tag]): role for tag, role in _ROLE_TAGS.items() if tag in tags}
    role, content = tags.get("role_tag", "from"), tags.get("content_tag", "value")
    if shape == "sharegpt" and (role not in _KEYS[0] or content not in _KEYS[1]):
        messages: dict[str, Any] = {"from": "conversation", "role": role, "content": content}
        if roles:
            messages["roles"] = roles
        return {"conversation": fields.get("conversations", "conversations")}, {"messages": messages}
    template: dict[str, Any] = {"from": shape}
    unknown = {name: meant for name, meant in roles.items() if name != meant}
    return fields, {**template, "roles": unknown} if unknown else template


def _told(template: Mapping[str, Any], fields: Mapping[str, str]) -> str:
    what = str(template.get("from") or "messages")
    named = ", ".join(f"{name} from {column}" for name, column in fields.items())
    return f"{what} with {named}" if named else what
