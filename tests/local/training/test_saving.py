"""What stands for the weights of a finished job."""

from pathlib import Path

import pytest

from runner.canonical import sha256_file, sha256_of
from runner.local.training.saving import weights_sha256
from tests.local.training.fakes import save_chat_model


def test_an_adapter_or_one_file_stands_for_itself(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    assert sha256_file(tmp_path / "model.safetensors") == weights_sha256(tmp_path)

    (tmp_path / "adapter_model.safetensors").write_bytes(b"adapter")
    assert sha256_file(tmp_path / "adapter_model.safetensors") == weights_sha256(tmp_path)


def test_weights_in_parts_are_told_by_all_of_them(tmp_path: Path) -> None:
    names = [f"model-0000{n}-of-00002.safetensors" for n in (2, 1)]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    first = weights_sha256(tmp_path)

    assert sha256_of({name: sha256_file(tmp_path / name) for name in names}) == first
    (tmp_path / names[0]).write_bytes(b"other")
    assert first != weights_sha256(tmp_path)


def test_a_model_that_the_library_divides_is_hashed_and_loaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    whole = save_chat_model(tmp_path / "whole")
    model = transformers.AutoModelForCausalLM.from_pretrained(whole)
    for copy in ("a", "b"):
        model.save_pretrained(tmp_path / copy, max_shard_size="50KB")

    assert len(list((tmp_path / "a").glob("model-*.safetensors"))) > 1
    assert weights_sha256(tmp_path / "a") == weights_sha256(tmp_path / "b")
    assert weights_sha256(tmp_path / "a") != weights_sha256(whole)
