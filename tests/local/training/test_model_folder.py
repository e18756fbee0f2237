"""Which folders are no models: pytest tests/local/training/test_model_folder.py"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.local.training.job import TrainingError
from runner.local.training.model_folder import check_model_folder


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


def refusal(folder: Path) -> tuple[str, str, str | None]:
    with pytest.raises(TrainingError) as caught:
        check_model_folder(folder, "mine")
    return caught.value.code, caught.value.message, caught.value.param


def test_a_whole_model_passes(folder: Path) -> None:
    """In one file or several, its chat template in either place."""
    check_model_folder(folder, "mine")

    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00001.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "tokenizer_config.json").unlink()
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    check_model_folder(folder, "mine")


def test_a_folder_without_a_model_is_not_found(folder: Path) -> None:
    (folder / "config.json").unlink()

    assert refusal(folder) == (
        "model_not_found",
        f"The model 'mine' has no config.json in {folder}.",
        "model",
    )


def test_pickled_weights_are_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    message = "The model 'mine' has no safetensors weights; other formats can run code."

    assert refusal(folder) == ("model_not_available", message, "model")


def cut_short(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(safetensors()[:-3])


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\xff" * 100)


def a_part_missing(folder: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def no_template(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text("{}")


def bad_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


SIZE = len(safetensors())


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (
            cut_short,
            f"model.safetensors has {SIZE - 3} bytes, expected {SIZE}: it was cut short or damaged. "
            "Copy or download it again.",
        ),
        (
            no_weights,
            "model.safetensors is no safetensors file, or it was damaged. Copy or download it again.",
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
    message = f"The model 'mine' cannot be loaded: {expected}"

    assert refusal(folder) == ("model_not_available", message, "model")
