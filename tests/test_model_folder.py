"""Which folders are no models: pytest tests/test_model_folder.py"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.model_folder import ModelFolderError, check_model_folder


def safetensors(n_bytes: int = 8) -> bytes:
    """A file with one tensor."""
    tensor = {"dtype": "F32", "shape": [n_bytes // 4], "data_offsets": [0, n_bytes]}
    header = json.dumps({"__metadata__": {"format": "pt"}, "a": tensor}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(n_bytes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all that is looked at."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(safetensors())
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    return tmp_path


def test_a_whole_model_passes(folder: Path) -> None:
    """In one file or several, its chat template in either place."""
    check_model_folder(folder)

    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00001.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "tokenizer_config.json").unlink()
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    check_model_folder(folder)


def no_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def pickled_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def cut_short(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(safetensors()[:-3])


def other_bytes(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\xff" * 100)


def a_part_missing(folder: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def deep_header(folder: Path) -> None:
    header = b"[" * 100_000
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)


def odd_offsets(folder: Path) -> None:
    header = b'{"a": {"data_offsets": [0, "8?"]}}'
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))


def an_odd_index(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text('{"weight_map": ["model.safetensors"]}')


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def no_template(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text("{}")


def bad_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


SIZE = len(safetensors())
NO_SAFETENSORS = "model.safetensors is no safetensors file, or it was damaged. Copy or download it again."


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (
            cut_short,
            f"model.safetensors has {SIZE - 3} bytes, expected {SIZE}: it was cut short or damaged. "
            "Copy or download it again.",
        ),
        (
            no_config,
            "it has no config.json. Name a folder that a chat model was saved into by Transformers.",
        ),
        (
            pickled_weights,
            "it has no safetensors weights, and other formats can run code. Save the model as safetensors.",
        ),
        (other_bytes, NO_SAFETENSORS),
        (deep_header, NO_SAFETENSORS),
        (odd_offsets, NO_SAFETENSORS),
        (
            an_odd_index,
            "model.safetensors.index.json does not say which file has which tensor. "
            "Copy or download it again.",
        ),
        (
            a_part_missing,
            "model-00002.safetensors is missing, which model.safetensors.index.json names. "
            "Copy or download it again.",
        ),
        (
            no_tokenizer,
            "it has no tokenizer; expected tokenizer.json or another of its kinds. "
            "Save the tokenizer into the same folder.",
        ),
        (
            no_template,
            "it has no chat template, in chat_template.jinja or tokenizer_config.json. "
            "Choose a model made for chat (often called instruct), or add a template.",
        ),
        (bad_config, "config.json is not JSON. Copy or download it again."),
    ],
)
def test_what_is_missing_or_damaged_is_named(
    folder: Path, damage: Callable[[Path], None], expected: str
) -> None:
    damage(folder)
    with pytest.raises(ModelFolderError) as caught:
        check_model_folder(folder)

    assert expected == str(caught.value)
