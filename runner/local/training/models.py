"""Loads a base model, its tokenizer and any adapter trained on it."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from runner.local.training.deprecations import library_deprecations_ignored
from runner.local.training.failures import machine_failure
from runner.local.training.job import TrainingError
from runner.local.training.model_folder import check_base_model
from runner.local.training.precision import Precision, capability_of, choose_precision
from runner.local.training.tiny_model import TINY_1, load_tiny_tokenizer, make_tiny_model

Form = Literal["usual", "full", "4-bit"]

ADAPTER_CONFIG = "adapter_config.json"
# What a model needs here. Pickled weights and Python files are neither fetched nor read.
HUB_FILES = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]

# What the libraries raise for files that are damaged, of another shape, or of a kind they do not know.
LOADING_ERRORS = (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError, SafetensorError)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A causal language model in memory with its tokenizer; `context_length` in tokens."""

    model: Any
    tokenizer: Any
    context_length: int
    is_adapter: bool

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = self.model.device
        return device


def load_model(
    base_model: str,
    path: Path | None,
    *,
    allow_network: bool,
    is_trainable: bool = False,
    form: Form = "usual",
) -> LoadedModel:
    """Load `path`, which holds weights or an adapter for `base_model`; without it, `base_model` itself.

    `base_model` is "tiny-1", an absolute path or a Hugging Face name, with `@revision` or without. The form
    is that of the weights: to be used, to be tuned themselves, or packed into 4 bits below an adapter. Raises
    TrainingError when there is no such model, or it is not one that is safe to load.
    """
    if path is not None and not path.is_dir():
        raise _not_found(f"There is no model folder at {path}.")
    if path is not None and (path / ADAPTER_CONFIG).is_file():
        base = load_model(base_model, None, allow_network=allow_network, form=form)
        return _with_adapter(base, path, is_trainable=is_trainable)
    if path is None and base_model == TINY_1:
        tokenizer = load_tiny_tokenizer()
        return _loaded(make_tiny_model(tokenizer), tokenizer)
    return _load_folder(path or _locate(base_model, allow_network=allow_network), base_model, form)


def device_for(base_model: str) -> torch.device:
    """Choose where a model runs: tiny-1 on the CPU, so that a GPU does not change its weights."""
    on_gpu = base_model != TINY_1 and torch.cuda.is_available()
    # Each of several processes has chosen its own.
    return torch.device("cuda", torch.cuda.current_device()) if on_gpu else torch.device("cpu")


def _locate(base_model: str, *, allow_network: bool) -> Path:
    """Find a model's folder on disk, downloading it where that is allowed."""
    if Path(base_model).is_absolute():
        if not Path(base_model).is_dir():
            raise _not_found(f"There is no model folder at {base_model}.")
        return Path(base_model)
    try:
        name, _, revision = base_model.partition("@")
        folder = snapshot_download(
            name, revision=revision or None, allow_patterns=HUB_FILES, local_files_only=not allow_network
        )
    except LocalEntryNotFoundError as error:
        hint = "the Hugging Face hub cannot be reached"
        if not allow_network:
            hint = "network access is off. `--allow-network` lets it be downloaded"
        message = f"The model '{base_model}' is not in this machine's Hugging Face cache and {hint}."
        raise _not_found(message) from error
    except (HfHubHTTPError, HFValidationError) as error:
        message = f"The model '{base_model}' does not exist or you do not have access to it."
        raise _not_found(message) from error
    return Path(folder)


def _load_folder(folder: Path, name: str, form: Form) -> LoadedModel:
    check_base_model(folder, name)
    safe = {"trust_remote_code": False, "local_files_only": True}
    device = device_for(name)
    precision = choose_precision(capability_of(device), tunes_all_weights=form == "full")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=precision.weights,
            # Straight to its place: a GPU's machine may have less memory than the GPU.
            device_map={"": device},
            quantization_config=_packing(precision) if form == "4-bit" else None,
            use_safetensors=True,
            **safe,
        )
    except LOADING_ERRORS as error:
        raise _loading_failure(f"The model '{name}' cannot be loaded", error) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return _loaded(model, tokenizer)


def _packing(precision: Precision) -> Any:
    """Pack weights into 4 bits as QLoRA does (https://arxiv.org/abs/2305.14314). Raises TrainingError."""
    if find_spec("bitsandbytes") is None:
        raise TrainingError(
            "model_not_available",
            "The adapter 'qlora' needs the extra `qlora` (bitsandbytes not found): "
            "pip install 'finetune-runner[qlora]'. Or use the adapter 'lora'.",
            "hyperparameters.adapter",
        )
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=precision.weights,
    )


def _with_adapter(base: LoadedModel, path: Path, *, is_trainable: bool) -> LoadedModel:
    if not any(path.glob("*.safetensors")):
        raise _not_available(f"The adapter in {path} has no safetensors weights.")
    from peft import PeftModel  # slow to import, and tiny-1 does without

    try:
        with library_deprecations_ignored():
            model = PeftModel.from_pretrained(
                base.model, str(path), is_trainable=is_trainable, use_safetensors=True
            )
    except LOADING_ERRORS as error:
        raise _loading_failure(f"The adapter in {path} does not fit", error) from error
    return LoadedModel(
        model=model, tokenizer=base.tokenizer, context_length=base.context_length, is_adapter=True
    )


def _loaded(model: Any, tokenizer: Any) -> LoadedModel:
    config = model.config.get_text_config()
    return LoadedModel(
        model=model,
        tokenizer=tokenizer,
        context_length=getattr(config, "max_position_embeddings", None) or tokenizer.model_max_length,
        is_adapter=False,
    )


def _not_found(message: str) -> TrainingError:
    return TrainingError("model_not_found", message, "model")


def _not_available(message: str) -> TrainingError:
    return TrainingError("model_not_available", message, "model")


def _loading_failure(message: str, error: Exception) -> TrainingError:
    first_line = str(error).strip().split("\n")[0]
    return machine_failure(error) or _not_available(f"{message}: {first_line}")
