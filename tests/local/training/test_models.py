"""Which models are loaded, and which are refused: pytest tests/local/training/test_models.py"""

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file

from runner.local.training.job import TrainingError
from runner.local.training.models import load_model

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]


def refusal(base_model: str, path: Path | None = None) -> tuple[str, str, str | None]:
    with pytest.raises(TrainingError) as caught:
        load_model(base_model, path, allow_network=False)
    return caught.value.code, caught.value.message, caught.value.param


def test_tiny_1_is_made_on_the_spot() -> None:
    loaded = load_model("tiny-1", None, allow_network=False)

    assert ("llama", 2048, False) == (
        loaded.model.config.model_type,
        loaded.context_length,
        loaded.is_adapter,
    )


@pytest.mark.parametrize("as_path", [True, False])
def test_folder_is_loaded_in_float32_on_a_cpu(chat_model: Path, as_path: bool) -> None:
    loaded = load_model(
        "mine" if as_path else str(chat_model), chat_model if as_path else None, allow_network=False
    )

    assert 256 == loaded.context_length
    if not torch.cuda.is_available():
        assert {torch.float32} == {parameter.dtype for parameter in loaded.model.parameters()}


def test_unknown_folder_is_not_found(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    expected = ("model_not_found", f"There is no model folder at {folder}.", "model")

    assert expected == refusal(str(folder))
    assert expected == refusal("tiny-1", folder)


def test_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    message = (
        f"The model '{tmp_path}' cannot be loaded: it has no config.json. "
        "Name a folder that a chat model was saved into by Transformers."
    )

    assert ("model_not_available", message, "model") == refusal(str(tmp_path))


def test_hub_name_needs_the_cache_when_the_network_is_off() -> None:
    message = (
        "The model 'nobody/nothing' is not in this machine's Hugging Face cache and network access is off. "
        "`--allow-network` lets it be downloaded."
    )

    assert ("model_not_found", message, "model") == refusal("nobody/nothing")


@pytest.mark.parametrize("name", ["../../etc", "a b", "https://example.com/x", ""])
def test_name_that_is_none_is_not_found(name: str) -> None:
    """Nor is it taken for a path relative to wherever the process runs."""
    message = f"The model '{name}' does not exist or you do not have access to it."

    assert ("model_not_found", message, "model") == refusal(name)


def test_pickled_weights_are_refused(tmp_path: Path, chat_model: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(chat_model, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    message = (
        f"The model '{folder}' cannot be loaded: it has no safetensors weights, and other formats can run "
        "code. Save the model as safetensors."
    )

    assert ("model_not_available", message, "model") == refusal(str(folder))


def test_code_in_a_model_is_not_run(tmp_path: Path, chat_model: Path) -> None:
    folder = tmp_path / "with_code"
    shutil.copytree(chat_model, folder)
    config = json.loads((folder / "config.json").read_bytes())
    config |= {
        "model_type": "evil",
        "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"},
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'proof')!r}, 'w')", "utf-8")
    code, message, _ = refusal(str(folder))

    assert "model_not_available" == code
    assert message.startswith(f"The model '{folder}' cannot be loaded: ")
    assert not (tmp_path / "proof").exists()


def test_damaged_weights_are_refused(tmp_path: Path, chat_model: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(chat_model, folder)
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:1000])
    code, message, _ = refusal(str(folder))

    assert "model_not_available" == code
    assert message.startswith(f"The model '{folder}' cannot be loaded: ")


def test_adapter_for_another_model_is_refused(tmp_path: Path, chat_model: Path) -> None:
    config = {"peft_type": "LORA", "r": 4, "target_modules": ["nothing"], "task_type": "CAUSAL_LM"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config), "utf-8")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    code, message, _ = refusal(str(chat_model), tmp_path)

    assert "model_not_available" == code
    assert message.startswith(f"The adapter in {tmp_path} does not fit: Target modules ")


def test_adapter_without_safe_weights_is_refused(tmp_path: Path, chat_model: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}", "utf-8")
    message = f"The adapter in {tmp_path} has no safetensors weights."

    assert ("model_not_available", message, "model") == refusal(str(chat_model), tmp_path)
