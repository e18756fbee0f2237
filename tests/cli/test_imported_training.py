"""Settings of other tools are imported and trained to their end, on a tiny model with an adapter."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.lock.lockfile import read_lockfile
from runner.providers.local_service import stop_service
from tests.cli.conftest import Call

pytest.importorskip("torch", reason="torch (the extra `local`) is not installed")
from tests.local.training.fakes import save_chat_model

pytestmark = [pytest.mark.torch, pytest.mark.long]
AXOLOTL = """\
base_model: ./models/base
adapter: lora
lora_r: 4
lora_alpha: 8
datasets:
  - path: data/talks.jsonl
    type: sharegpt
val_set_size: 0.1
num_epochs: 2
micro_batch_size: 2
gradient_accumulation_steps: 2
learning_rate: 0.0002
seed: 1
"""
LLAMA_FACTORY = """\
model_name_or_path: models/base
stage: sft
finetuning_type: lora
lora_rank: 4
dataset: faq
dataset_dir: data
num_train_epochs: 2
per_device_train_batch_size: 4
learning_rate: 2.0e-4
val_size: 0.1
"""
ALPACA = [{"instruction": f"What is {n}?", "input": "", "output": f"It is {n}."} for n in range(40)]
SHAREGPT = [
    {"conversations": [{"from": "human", "value": f"안녕 {n}"}, {"from": "gpt", "value": f"네 {n}"}]}
    for n in range(40)
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with a chat model of random weights and data in two known formats."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "finetune.toml").touch()
    data = tmp_path / "data"
    data.mkdir()
    (data / "faq.json").write_text(json.dumps(ALPACA))
    (data / "dataset_info.json").write_text(json.dumps({"faq": {"file_name": "faq.json"}}))
    (data / "talks.jsonl").write_text("".join(f"{json.dumps(talk)}\n" for talk in SHAREGPT))
    save_chat_model(tmp_path / "models" / "base")
    yield tmp_path
    stop_service(tmp_path / ".finetune")


@pytest.mark.parametrize("settings", [AXOLOTL, LLAMA_FACTORY], ids=["axolotl", "llama_factory"])
def test_imported_settings_train_an_adapter(call: Call, project: Path, settings: str) -> None:
    """What was imported is what the lockfile says was asked for."""
    (project / "settings.yaml").write_text(settings)
    codes = [call("import", "settings.yaml", "--out", "talks.yaml").code, call("run", "talks.yaml").code]
    answer = call("chat", "talks.yaml", "안녕 3", "--max-tokens", "8")
    job = read_lockfile(project / "talks.lock.yaml").runs["default"].job

    assert ([0, 0], 0) == (codes, answer.code)
    assert job is not None
    assert "succeeded" == job.status
    assert {"n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": 1.0} == dict(job.requested)
    assert {"adapter": "lora", "lora_r": 4} == {name: job.options[name] for name in ("adapter", "lora_r")}
