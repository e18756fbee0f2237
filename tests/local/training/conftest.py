"""What the training tests share: one torch thread, tiny-1's tokenizer, a small chat model on disk."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.local.training.fakes import save_chat_model

# Read when the libraries load, which a fixture would be too late for.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1")


@pytest.fixture(scope="session")
def one_thread() -> None:
    """Two threads on shared cores wait for each other."""
    pytest.importorskip("torch").set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_tokenizer(one_thread: None) -> Any:
    """The tokenizer that tiny-1 ships."""
    from runner.local.training.tiny_model import load_tiny_tokenizer

    return load_tiny_tokenizer()


@pytest.fixture(scope="session")
def chat_model(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of random weights, with a tokenizer and a chat template of its own."""
    return save_chat_model(tmp_path_factory.mktemp("chat_model"))
