"""One service for the tests that do not kill it."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.local.harness import RunningService, start_service


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A running service with fake training and inference."""
    running = start_service(tmp_path_factory.mktemp("project") / ".finetune")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="package")
def client(service: RunningService) -> Iterator[openai.OpenAI]:
    """The unmodified SDK for the shared service."""
    with service.client() as sdk:
        yield sdk


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder that no other test uses."""
    return tmp_path / ".finetune"
