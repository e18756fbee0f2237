"""A file that the provider has not looked at yet is waited for, and not for ever."""

from pathlib import Path

import pytest

from runner.errors import ProviderError
from runner.execution.readiness import FILE_DELAYS, JOB_DELAYS, created_when_ready, wait_for_file
from runner.providers.base import FileNotReadyError, JobRequest, RemoteFile
from tests.fakes import MemoryProvider, StillClock

REQUEST = JobRequest(
    key="k",
    model="m",
    method="supervised",
    training_file="file-1",
    validation_file=None,
    hyperparameters={},
    seed=1,
    suffix=None,
    recipe="faq",
)


def uploaded(provider: MemoryProvider, folder: Path) -> RemoteFile:
    path = folder / "data.jsonl"
    path.write_bytes(b"{}\n")
    return provider.upload(path, filename="data.jsonl", key="k")


@pytest.mark.parametrize(
    ("statuses", "waited"),
    [
        (["processed"], []),
        ([None], []),
        (["pending", "running", "processed"], [1.0, 2.0]),
        (["uploaded"], list(FILE_DELAYS)),
    ],
)
def test_a_file_is_waited_for_while_it_is_unread(
    tmp_path: Path, statuses: list[str | None], waited: list[float]
) -> None:
    """A host that never reads it, or says nothing, does not stop the run."""
    provider, clock, said = MemoryProvider(file_statuses=statuses), StillClock(), []
    wait_for_file(provider, "memory", uploaded(provider, tmp_path), clock, said.append)

    assert waited == clock.waited
    assert len(said) == (1 if waited else 0)


@pytest.mark.parametrize("n_looks", [1, len(FILE_DELAYS)])
def test_a_file_that_the_provider_could_not_read_ends_the_run(tmp_path: Path, n_looks: int) -> None:
    provider = MemoryProvider(file_statuses=["pending"] * n_looks + ["error"])
    with pytest.raises(ProviderError) as caught:
        wait_for_file(provider, "memory", uploaded(provider, tmp_path), StillClock(), lambda _: None)

    assert (
        "memory could not read data.jsonl (file-1 has the status 'error'). "
        "Delete it with `finetune files delete file-1 --provider memory` and run again."
    ) == str(caught.value)


def test_a_job_is_created_once_its_file_was_read() -> None:
    provider, clock, said = MemoryProvider(not_ready=2), StillClock(), []
    job = created_when_ready(lambda: provider.create_job(REQUEST), clock, said.append)

    assert ("ftjob-1", [15.0, 30.0], 1) == (job.id, clock.waited, len(provider.jobs))
    assert "memory: the file is still being processed; trying again in 15 s" == said[0]


def test_a_job_whose_file_is_never_read_ends_with_what_to_do() -> None:
    provider, clock = MemoryProvider(not_ready=100), StillClock()
    with pytest.raises(FileNotReadyError) as caught:
        created_when_ready(lambda: provider.create_job(REQUEST), clock, lambda _: None)

    assert list(JOB_DELAYS) == clock.waited
    assert (
        "memory: the file is still being processed\n"
        "No job was created in 5 minutes of waiting. The file stays uploaded: the same command, later, goes "
        "on from here."
    ) == str(caught.value)
