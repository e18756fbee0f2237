"""Axolotl: https://docs.axolotl.ai/docs/config-reference.html and dataset-formats (2026-11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.converting.common import (
    TRAINERS_OWN,
    Site,
    carry_batch,
    carry_epochs,
    carry_learning_rate,
    hub_source,
    inverted,
    looks_like_a_file,
    mapping_at,
    use_template,
)
from runner.converting.conversion import Conversion, Converted, number
from runner.display import shown

# What a recipe has under another name.
SAME = {
    "base_model": "training.model",
    "seed": "training.seed",
    "lora_r": "training.options.lora_r",
    "lora_alpha": "training.options.lora_alpha",
    "early_stopping_patience": "training.options.early_stopping_patience",
    "load_best_model_at_end": "training.options.load_best_model_at_end",
    "default_system_message": "template.system",
}
# Why other keys are lost: names with blanks between them, a star for any ending.
LOST = {
    **TRAINERS_OWN,
    "sequence_len excess_length_strategy": "an example longer than the model's context is an error here; "
    "nothing is cut",
    "model_type tokenizer_type tokenizer_config is_llama_derived_model is_mistral_derived_model "
    "processor_type base_model_config": "the model says it of itself",
    "chat_template chat_template_jinja special_tokens tokens eot_tokens": "the model's own chat template is "
    "used",
    "lora_target_modules lora_target_linear lora_modules_to_save lora_fan_in_fan_out peft_* loraplus_* "
    "lora_*_kernel relora*": "adapters are put on all linear layers",
    "max_steps": "a recipe counts epochs",
    "test_datasets": "a recipe holds out a share of its own records: `split.validation`",
    "plugins": "there are none",
    "rl_* dpo_* kto_* orpo_* simpo_* trl": "this method has no such value here",
    "shuffle_merged_datasets curriculum_sampling": "the order follows from the seed",
    "train_on_inputs": "answers alone are learnt",
    "strict*": "a recipe is always read strictly",
}
# The formats of datasets, by the beginning of `type`, for supervised training and for preferences.
SHAPES = {
    "alpaca_chat.load_qa": ("alpaca", {"instruction": "question", "output": "answer"}),
    "alpaca": ("alpaca", {}),
    "sharegpt": ("sharegpt", {}),
    "chat_template": ("openai", {}),
}
METHODS = {"dpo": "dpo", "ipo": None, "kto": None, "orpo": None, "simpo": None, "grpo": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mapping:
    """How the records of a dataset are read; equal ones share a template."""

    fields: Mapping[str, str]
    template: Mapping[str, Any]


def is_axolotl(settings: Mapping[str, Any]) -> bool:
    """Whether settings look like Axolotl's."""
    return "base_model" in settings and ("datasets" in settings or "micro_batch_size" in settings)


def convert(settings: Mapping[str, Any], site: Site) -> Converted:
    """A recipe from Axolotl's settings."""
    conversion = Conversion(settings)
    conversion.carry_all(SAME)
    adapter = _carry_adapter(conversion)
    _carry_method(conversion)
    _carry_datasets(conversion, site)
    _carry_split(conversion)
    carry_epochs(conversion, "num_epochs")
    carry_batch(conversion, "micro_batch_size")
    carry_learning_rate(conversion, adapter)
    conversion.lose_rest(LOST)
    return conversion.finished()


def _carry_adapter(conversion: Conversion) -> str:
    adapter, packed = conversion.take("adapter"), conversion.take("load_in_4bit", default=False)
    conversion.take("load_in_8bit")
    name = "none" if adapter is None else "qlora" if adapter == "qlora" or packed else "lora"
    if adapter is None:
        conversion.translate("adapter", "training.options.adapter", name, "no adapter")
    else:
        conversion.carry("adapter", "training.options.adapter", name)
    dropout = number(conversion.take("lora_dropout"))
    if dropout:
        conversion.carry("lora_dropout", "training.options.lora_dropout", dropout)
    return name


def _carry_method(conversion: Conversion) -> None:
    kind = conversion.take("rl")
    if kind is None:
        return
    method = METHODS.get(str(kind))
    if method is None:
        conversion.note("rl", "lost", f"{kind}: recipes train by supervised, dpo or reinforcement")
        return
    conversion.carry("rl", "training.method", method)
    beta = number(conversion.take("rl_beta") or conversion.take("dpo_beta"))
    if beta is not None:
        conversion.carry("rl_beta", "training.hyperparameters.beta", beta)


def _carry_split(conversion: Conversion) -> None:
    value = conversion.take("val_set_size")
    share = number(value)
    if not share:
        return
    if share < 1:
        conversion.carry("val_set_size", "split.validation", share)
    else:
        text = f"{value} records: a recipe holds out a share, set `split.validation`"
        conversion.note("val_set_size", "lost", text)


def _carry_datasets(conversion: Conversion, site: Site) -> None:
    """The first dataset decides about the template: a recipe has one for all of its sources."""
    datasets = conversion.take("datasets", [])
    first: _Mapping | None = None
    for number_, given in enumerate(datasets if isinstance(datasets, list) else []):
        key = f"datasets[{number_}]"
        dataset = dict(mapping_at(given, key))
        mapping = _mapping(conversion, dataset, key)
        if mapping is None or (first is not None and mapping != first):
            if mapping is not None:
                conversion.forget(f"{key}.")
                conversion.note(
                    key,
                    "lost",
                    "its records are read in another way than those before; make a recipe of its own for it",
                )
            continue
        if first is None:
            first = mapping
            use_template(conversion, mapping.template, mapping.fields)
        source = _source(conversion, dataset, key, site)
        conversion.recipe["sources"].append(source)


def _source(conversion: Conversion, dataset: dict[str, Any], key: str, site: Site) -> dict[str, Any]:
    given = str(dataset.get("path", ""))
    files = dataset.get("data_files")
    if given in ("json", "csv", "parquet", "arrow", "text") and files:
        given = str(files[0] if isinstance(files, list) else files)
    if looks_like_a_file(given):
        path, missing = site.source(given, (site.file.resolve().parent, Path.cwd()))
        conversion.note(f"{key}.path", "carried", f"sources: {path}{missing}")
        return {"path": path}
    chosen = files[0] if isinstance(files, list) and files else files
    source = hub_source(given, str(chosen or "**/*.parquet"))
    conversion.note(
        f"{key}.path",
        "translated",
        f"sources: the hub's {shown(given)}; say its commit under `revision` and its `files`",
    )
    return source


def _mapping(conversion: Conversion, dataset: dict[str, Any], key: str) -> _Mapping | None:
    kind = dataset.get("type")
    if isinstance(kind, dict):
        return _columns(conversion, kind, f"{key}.type")
    if conversion.recipe["training"].get("method") == "dpo":
        conversion.note(f"{key}.type", "translated", f"template.from: dpo ({kind})")
        return _Mapping(fields=_preference_fields(dataset), template={"from": "dpo"})
    name = next((name for name in SHAPES if str(kind or "").startswith(name)), None)
    if name is None:
        conversion.note(f"{key}.type", "lost", f"{kind}: no format that recipes know; map it with `fields`")
        return None
    shape, fields = SHAPES[name]
    if name == "chat_template":
        return _chat(conversion, dataset, key)
    conversion.note(f"{key}.type", "carried", f"template.from: {shape}")
    return _Mapping(fields=fields, template={"from": shape})


def _preference_fields(dataset: dict[str, Any]) -> dict[str, str]:
    named = {
        "prompt": dataset.get("field_prompt") or dataset.get("field_messages"),
        "chosen": dataset.get("field_chosen"),
        "rejected": dataset.get("field_rejected"),
    }
    return {name: str(column) for name, column in named.items() if column and column != name}


def _chat(conversion: Conversion, dataset: dict[str, Any], key: str) -> _Mapping:
    """Conversations, under the names that the configuration gives to their parts."""
    field = str(dataset.get("field_messages", "messages"))
    properties = mapping_at(dataset.get("message_property_mappings"), f"{key}.message_property_mappings")
    role = properties.get("role") or dataset.get("message_field_role") or "role"
    content = properties.get("content") or dataset.get("message_field_content") or "content"
    roles = {
        name: meant
        for name, meant in inverted(mapping_at(dataset.get("roles"), f"{key}.roles")).items()
        if name != meant
    }
    said = f"messages from {field}, role {role}, content {content}"
    if (role, content) in (("role", "content"), ("from", "value")):
        shape = "openai" if role == "role" else "sharegpt"
        column = "messages" if shape == "openai" else "conversations"
        template: dict[str, Any] = {"from": shape}
        fields = {} if field == column else {column: field}
    else:
        template = {"messages": {"from": "conversation", "role": role, "content": content}}
        fields = {"conversation": field}
        if roles:
            template["messages"]["roles"] = roles
    if roles and "from" in template:
        template["roles"] = roles
    conversion.note(f"{key}.type", "translated", f"template: {said}")
    return _Mapping(fields=fields, template=template)


def _columns(conversion: Conversion, kind: dict[str, Any], key: str) -> _Mapping | None:
    """Columns of any names with Python's format strings around them."""
    asked = kind.get("field_instruction", "instruction")
    answered, beside = kind.get("field_output", "output"), kind.get("field_input", "input")
    system = kind.get("system_prompt")
    wording = str(kind.get("format") or "{instruction}\n{input}")
    if "[INST]" in wording or "<|" in wording:
        conversion.note(
            f"{key}.format", "lost", "marks of a chat format: the model's own template writes them"
        )
        wording = "{instruction}\n{input}"
    content = wording.replace("{instruction}", "{{ instruction }}").replace("{input}", "{{ input }}")
    messages = [{"role": "user", "content": content}, {"role": "assistant", "content": "{{ output }}"}]
    if system:
        messages.insert(0, {"role": "system", "content": str(system)})
    fields: dict[str, Any] = {"instruction": asked, "output": answered}
    if "{{ input }}" in content:
        fields["input"] = {"path": beside, "default": ""}
    conversion.note(key, "translated", f"fields and template from {asked}, {beside}, {answered}")
    return _Mapping(fields=fields, template={"messages": messages})
