"""One service for the dashboard's tests, with fake training and inference."""

from collections.abc import Iterator

import openai
import pytest

from tests.local.harness import RunningService, start_service


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A running service with fake training and inference."""
    running = start_service(tmp_path_factory.mktemp("project") / ".finetune")
    yield running
    assert 0 == running.stop()


@pytest.fixture(scope="package")
def client(service: RunningService) -> Iterator[openai.OpenAI]:
    """The unmodified SDK for it."""
    with service.client() as sdk:
        yield sdk
