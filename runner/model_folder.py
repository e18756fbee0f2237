"""Looks over the folder of a model without loading it."""

import json
from pathlib import Path
from typing import Any

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
INDEX = "model.safetensors.index.json"
# The length stands before the header; the bound is the library's: https://huggingface.co/docs/safetensors
# (2026-11).
LENGTH_BYTES, MAX_HEADER_BYTES = 8, 100_000_000


class ModelFolderError(ValueError):
    """A folder is no model that can be trained; `str` is a sentence about "it" that says what to do."""


def check_model_folder(folder: Path) -> None:
    """See that a folder has what a chat model needs, in forms that are safe to load.

    Raises ModelFolderError for the first thing that is missing or damaged.
    """
    if not (folder / "config.json").is_file():
        raise ModelFolderError(
            "it has no config.json. Name a folder that a chat model was saved into by Transformers."
        )
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise ModelFolderError(
            "it has no safetensors weights, and other formats can run code. Save the model as safetensors."
        )
    _read_json(folder / "config.json")
    for file in [*_indexed(folder), *weights]:
        _check_weights(file)
    _check_tokenizer(folder)


def _indexed(folder: Path) -> list[Path]:
    """The files that the weights are spread over."""
    if not (folder / INDEX).is_file():
        return []
    files = _read_json(folder / INDEX).get("weight_map")
    if not isinstance(files, dict) or not all(isinstance(file, str) for file in files.values()):
        raise ModelFolderError(
            f"{INDEX} does not say which file has which tensor. Copy or download it again."
        )
    return [folder / Path(file).name for file in sorted(set(files.values()))]


def _check_weights(file: Path) -> None:
    if not file.is_file():
        raise ModelFolderError(f"{file.name} is missing, which {INDEX} names. Copy or download it again.")
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        header = stream.read(length) if length <= min(size, MAX_HEADER_BYTES) else b""
    try:
        tensors: dict[str, Any] = json.loads(header)
        ends = [int(tensor["data_offsets"][1]) for key, tensor in tensors.items() if key != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ModelFolderError(
            f"{file.name} is no safetensors file, or it was damaged. Copy or download it again."
        ) from error
    expected = LENGTH_BYTES + length + max(ends, default=0)
    if size != expected:
        raise ModelFolderError(
            f"{file.name} has {size} bytes, expected {expected}: it was cut short or damaged. "
            "Copy or download it again."
        )


def _check_tokenizer(folder: Path) -> None:
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise ModelFolderError(
            f"it has no tokenizer; expected {TOKENIZER_FILES[0]} or another of its kinds. "
            "Save the tokenizer into the same folder."
        )
    settings = folder / "tokenizer_config.json"
    has_own = settings.is_file() and bool(_read_json(settings).get("chat_template"))
    if not has_own and not (folder / "chat_template.jinja").is_file():
        raise ModelFolderError(
            "it has no chat template, in chat_template.jinja or tokenizer_config.json. "
            "Choose a model made for chat (often called instruct), or add a template."
        )


def _read_json(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelFolderError(f"{file.name} is not JSON. Copy or download it again.") from error
    if not isinstance(value, dict):
        raise ModelFolderError(f"{file.name} is not a JSON object. Copy or download it again.")
    return value
