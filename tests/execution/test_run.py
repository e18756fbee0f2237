"""A plan is run exactly once, whatever gets lost on the way."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ProviderError, RunnerError
from runner.execution.journal import Journal
from runner.execution.run import Execution, start, with_result
from runner.lockfile import LockedRun
from runner.plan import Situation, make_plan
from runner.providers.base import OutcomeUnknownError
from runner.providers.hosts import find_host
from tests.fakes import MemoryProvider, StillClock, make_dataset, make_recipe

RECIPE = make_recipe()


class Bench:
    """A provider, a dataset and a place for the state; each `run` is a new process as far as state goes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dataset = make_dataset(folder / "datasets", validation=b"validation\n")
        self.provider = MemoryProvider()
        self.saved: list[LockedRun] = []
        self.said: list[str] = []

    def run(self, locked: LockedRun | None = None, *, artefact_present: bool = True) -> LockedRun:
        situation = Situation(
            host=find_host("local"), today=date(2026, 11, 22), artefact_present=artefact_present
        )
        plan = make_plan(RECIPE, self.dataset, locked, situation)
        execution = Execution(
            recipe=RECIPE,
            dataset=self.dataset,
            provider=self.provider,
            journal=Journal(self.folder / "journal.jsonl"),
            clock=StillClock(),
            save=self.saved.append,
            say=self.said.append,
            model=RECIPE.training.model,
        )
        return start(execution, plan, locked)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def counts(provider: MemoryProvider) -> tuple[int, int]:
    return len(provider.files), len(provider.jobs)


def test_a_run_uploads_both_files_and_creates_one_job(bench: Bench) -> None:
    run = bench.run()

    assert (2, 1) == counts(bench.provider)
    assert run.job is not None and run.validation_file is not None
    assert ("file-1", "file-2", "ftjob-1", "queued") == (
        run.training_file.file_id,
        run.validation_file.file_id,
        run.job.id,
        run.job.status,
    )
    assert [run] == bench.saved


@pytest.mark.parametrize("request_name", ["upload", "create_job"])
def test_a_lost_answer_is_looked_up_and_nothing_is_sent_twice(bench: Bench, request_name: str) -> None:
    bench.provider.lose = {request_name}
    bench.run()

    assert (2, 1) == counts(bench.provider)
    assert (2, 1) == (bench.provider.count("upload"), bench.provider.count("create_job"))


@pytest.mark.parametrize("request_name", ["upload", "create_job"])
def test_a_request_lost_on_the_way_ends_the_run_and_the_next_one_finishes(
    bench: Bench, request_name: str
) -> None:
    bench.provider.lose_before = {request_name}
    with pytest.raises(OutcomeUnknownError):
        bench.run()

    run = bench.run()

    assert (2, 1) == counts(bench.provider)
    assert run.job is not None and "ftjob-1" == run.job.id


def test_a_run_killed_after_creating_adopts_its_job(bench: Bench) -> None:
    """The second run has no lock and finds files and job again."""
    bench.run()
    bench.run()

    assert (2, 1) == counts(bench.provider)
    assert "Found ftjob-1, created before" == bench.said[-1]


def test_another_machine_adopts_the_job_by_its_key(bench: Bench) -> None:
    bench.run()
    (bench.folder / "journal.jsonl").unlink()
    run = bench.run()

    assert run.job is not None and "ftjob-1" == run.job.id
    assert 1 == bench.provider.count("create_job")


def test_a_job_whose_model_is_gone_is_asked_for_again(bench: Bench) -> None:
    """Its success is not adopted; the local service runs it again under the same key and ID."""
    run = bench.run()
    assert run.job is not None
    bench.provider.retrieve_job("ftjob-1")
    locked = replace(run, job=replace(run.job, status="succeeded"))
    bench.run(locked, artefact_present=False)

    assert 2 == bench.provider.count("create_job")


def test_two_live_jobs_stop_and_ask(bench: Bench) -> None:
    bench.run()
    twin = replace(bench.provider.jobs["ftjob-1"], id="ftjob-2")
    bench.provider.jobs["ftjob-2"] = twin
    with pytest.raises(ProviderError) as caught:
        bench.run()

    assert (
        "found 2 live jobs for the same run: ftjob-1, ftjob-2. Nothing was started. "
        "Cancel all but one with `finetune cancel JOB`, then run again."
    ) == str(caught.value)


def test_a_refusal_leaves_nothing_open(bench: Bench) -> None:
    bench.provider.refuse = {"create_job": "memory refuses"}
    with pytest.raises(ProviderError, match="memory refuses"):
        bench.run()

    bench.provider.refuse = {}
    bench.run()

    assert (2, 1) == counts(bench.provider)


def test_a_file_gone_at_the_provider_is_uploaded_again(bench: Bench) -> None:
    run = bench.run()
    assert run.job is not None
    locked = replace(run, job=replace(run.job, digest="0" * 64))
    del bench.provider.files["file-1"]
    bench.provider.jobs.clear()
    (bench.folder / "journal.jsonl").unlink()
    bench.run(locked)

    assert "file-1 is gone at the provider; uploading it again" in bench.said
    assert 3 == bench.provider.count("upload")


def test_a_dataset_file_that_changed_is_never_sent(bench: Bench) -> None:
    path = bench.dataset.path_of(bench.dataset.training_file)
    path.write_bytes(b"other\n")
    with pytest.raises(RunnerError) as caught:
        bench.run()

    assert f"{path.name}: its content changed after it was built. Run the command again." == str(caught.value)
    assert (0, 0) == counts(bench.provider)


def test_a_result_keeps_the_weights_of_other_platforms(bench: Bench) -> None:
    run = bench.run()
    assert run.job is not None
    job: Any = replace(
        bench.provider.retrieve_job("ftjob-1"), weights_platform="torch-x", weights_sha256="1" * 64
    )
    locked = replace(run, job=replace(run.job, weights={"torch-y": "2" * 64}))
    finished = with_result(locked, job, bench.provider.list_checkpoints("ftjob-1"))

    assert finished.job is not None
    assert {"torch-x": "1" * 64, "torch-y": "2" * 64} == finished.job.weights
    assert ("succeeded", "ft:tiny-1:1") == (finished.job.status, finished.job.fine_tuned_model)
