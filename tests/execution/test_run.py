"""A plan is run exactly once, whatever gets lost on the way."""

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from runner.canonical import sha256_bytes
from runner.errors import ProviderError, RunnerError
from runner.execution.jobs import AmbiguousJobError
from runner.execution.journal import Journal
from runner.execution.locking import with_result
from runner.execution.requests import Execution
from runner.execution.run import start
from runner.lock.lockfile import LockedRun
from runner.planning.plan import Situation, job_key, make_plan
from runner.providers.base import (
    JOB_KEY_METADATA,
    ConnectionLostError,
    Job,
    JobRequest,
    OutcomeUnknownError,
    RemoteFile,
)
from runner.providers.hosts import find_host
from runner.providers.translation import Wording
from tests.fakes import MemoryProvider, StillClock, make_dataset, make_recipe

RECIPE = make_recipe()


@dataclass
class OpenProvider(MemoryProvider):
    """A provider that gives content back, and may drop metadata, fail its reads or have a faster client."""

    gives_content: bool = True
    drops_metadata: bool = False
    fails_reads: bool = False
    is_raced: bool = False
    ends_before_cancel: bool = False
    contents: dict[str, bytes | None] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)

    def upload(self, path: Path, *, filename: str, key: str) -> RemoteFile:
        """Store a file with its content."""
        self.contents[f"file-{self.count('upload') + 1}"] = path.read_bytes()
        return super().upload(path, filename=filename, key=key)

    def file_sha256(self, file_id: str) -> str | None:
        """Hash of the content, where it is given back."""
        content = self.contents[file_id] if self.gives_content else None
        return None if content is None else sha256_bytes(content)

    def create_job(self, request: JobRequest) -> Job:
        """Store a job, after that of a faster client."""
        if self.is_raced:
            self.jobs["ftjob-0"] = make_job("ftjob-0", request.key)
            self.files["file-9"] = replace(self.files["file-1"], id="file-9")
        try:
            return super().create_job(request)
        finally:
            if self.drops_metadata:
                self.jobs = {name: replace(job, metadata={}) for name, job in self.jobs.items()}

    def find_jobs(self, key: str) -> list[Job]:
        """Jobs by key, unless reads fail after a create."""
        if self.fails_reads and self.count("create_job"):
            raise ConnectionLostError("memory cannot be reached")
        return super().find_jobs(key)

    def cancel_job(self, job_id: str) -> Job:
        """Cancel one job, unless it has just ended."""
        if self.ends_before_cancel:
            raise ProviderError(f"{job_id} is already over")
        self.cancelled.append(job_id)
        self.jobs[job_id] = replace(self.jobs[job_id], status="cancelled")
        return self.jobs[job_id]


def make_job(job_id: str, key: str) -> Job:
    metadata = {JOB_KEY_METADATA: key}
    return Job(
        id=job_id,
        status="queued",
        model=str(RECIPE.training.model),
        training_file="file-9",
        created_at=0,
        metadata=metadata,
    )


class Bench:
    """A provider, a dataset and a place for the state; each `run` is a new process as far as state goes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dataset = make_dataset(folder / "datasets", validation=b"validation\n")
        self.provider = OpenProvider()
        self.keeps_metadata = True
        self.model = RECIPE.training.model
        self.saved: list[LockedRun] = []
        self.said: list[str] = []

    def run(self, locked: LockedRun | None = None, *, artefact_present: bool = True) -> LockedRun:
        host = replace(find_host("local"), keeps_metadata=self.keeps_metadata)
        situation = Situation(host=host, today=date(2026, 11, 22), artefact_present=artefact_present)
        plan = make_plan(RECIPE, self.dataset, locked, situation)
        execution = Execution(
            recipe=RECIPE,
            dataset=self.dataset,
            provider=self.provider,
            journal=Journal(self.folder / "journal.jsonl"),
            clock=StillClock(),
            save=self.saved.append,
            say=self.said.append,
            model=self.model,
            wording=Wording(hyperparameters=RECIPE.training.hyperparameters.as_dict(), body={}),
            keeps_metadata=self.keeps_metadata,
            settle_s=1.0,
        )
        return start(execution, plan, locked)

    def keep_no_metadata(self) -> None:
        """Drop metadata, and say so."""
        self.provider.drops_metadata = True
        self.keeps_metadata = False

    @property
    def key(self) -> str:
        """The key of the first job."""
        plan = make_plan(
            RECIPE, self.dataset, None, Situation(host=find_host("local"), today=date(2026, 11, 22))
        )
        return job_key(plan.digest, 1)

    def add_twin(self, job_id: str, *, created_at: int) -> None:
        """A job that another process made for the same run."""
        self.provider.jobs[job_id] = replace(self.provider.jobs["ftjob-1"], id=job_id, created_at=created_at)


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
def test_a_request_lost_on_the_way_is_sent_once_more(bench: Bench, request_name: str) -> None:
    """Only after every look for it was answered and found nothing."""
    bench.provider.lose_before = {request_name}
    run = bench.run()

    assert (2, 1) == counts(bench.provider)
    assert run.job is not None and "ftjob-1" == run.job.id


def test_a_look_that_fails_leaves_the_outcome_unknown(bench: Bench) -> None:
    """Nothing is sent again, and the next run looks first."""
    bench.provider.lose = {"create_job"}
    bench.provider.fails_reads = True
    with pytest.raises(OutcomeUnknownError) as caught:
        bench.run()

    assert "memory did not confirm create_job" == str(caught.value)
    assert "unknown" == Journal(bench.folder / "journal.jsonl").outcome("job", bench.key)

    bench.provider.fails_reads = False
    run = bench.run()

    assert (2, 1) == counts(bench.provider)
    assert 1 == bench.provider.count("create_job")
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


def test_of_two_live_jobs_of_one_key_the_earlier_is_kept(bench: Bench) -> None:
    bench.run()
    bench.add_twin("ftjob-0", created_at=9)
    run = bench.run()

    assert run.job is not None and "ftjob-1" == run.job.id
    assert ["ftjob-0"] == bench.provider.cancelled
    assert (
        "ftjob-0 was created for the same run as ftjob-1; keeping ftjob-1, cancelling ftjob-0" in bench.said
    )


def test_a_twin_created_at_the_same_time_is_found_after_creating(bench: Bench) -> None:
    """The other process was earlier, so this one's job goes, and the lock gets the other's job and files."""
    bench.provider.is_raced = True
    run = bench.run()

    assert run.job is not None and ("ftjob-0", "file-9") == (run.job.id, run.training_file.file_id)
    assert ["ftjob-2"] == bench.provider.cancelled
    assert "ftjob-0" == Journal(bench.folder / "journal.jsonl").outcome("job", bench.key)


def test_a_twin_that_ended_meanwhile_needs_no_cancelling(bench: Bench) -> None:
    bench.run()
    bench.add_twin("ftjob-2", created_at=9)
    bench.provider.ends_before_cancel = True
    run = bench.run()

    assert run.job is not None and "ftjob-1" == run.job.id


def test_jobs_that_share_a_file_but_carry_no_key_stop_and_ask(bench: Bench) -> None:
    """Where metadata is not kept nothing is cancelled on a guess."""
    bench.keep_no_metadata()
    bench.run()
    bench.add_twin("ftjob-2", created_at=9)
    with pytest.raises(AmbiguousJobError) as caught:
        bench.run()

    assert (
        "found 2 jobs that may be the one of this run: ftjob-1, ftjob-2. Nothing was cancelled, and nothing "
        "more is started. Cancel all but one with `finetune cancel JOB --provider local`, then run again."
    ) == str(caught.value)
    assert [] == bench.provider.cancelled

    bench.provider.jobs["ftjob-1"] = replace(bench.provider.jobs["ftjob-1"], status="cancelled")
    run = bench.run()

    assert run.job is not None and "ftjob-2" == run.job.id


def test_without_metadata_the_name_of_the_training_file_carries_the_key(bench: Bench) -> None:
    bench.keep_no_metadata()
    bench.run()
    training, validation = bench.provider.files.values()

    assert training.filename.endswith(f"-{bench.key[:16]}.jsonl")
    assert bench.key[:16] not in validation.filename


@pytest.mark.parametrize("has_journal", [True, False])
def test_without_metadata_the_training_file_identifies_the_job(bench: Bench, *, has_journal: bool) -> None:
    bench.keep_no_metadata()
    bench.provider.lose = {"create_job"}
    bench.run()
    if not has_journal:
        (bench.folder / "journal.jsonl").unlink()
    run = bench.run()

    assert (2, 1) == counts(bench.provider)
    assert run.job is not None and "ftjob-1" == run.job.id


def test_without_metadata_a_file_of_another_job_is_not_reused(bench: Bench) -> None:
    bench.keep_no_metadata()
    run = bench.run()
    assert run.job is not None
    locked = replace(run, job=replace(run.job, digest="0" * 64, status="succeeded"))
    bench.provider.files["file-1"] = replace(bench.provider.files["file-1"], filename="faq-other-job.jsonl")
    bench.provider.jobs.clear()
    (bench.folder / "journal.jsonl").unlink()
    again = bench.run(locked)

    assert "file-3" == again.training_file.file_id


def test_a_list_that_is_cut_off_proves_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.keep_no_metadata()
    bench.run()
    monkeypatch.setattr("runner.execution.jobs.SEARCHED", 1)
    bench.provider.files = {"file-9": replace(bench.provider.files["file-1"], filename="other")}
    with pytest.raises(AmbiguousJobError) as caught:
        bench.run()

    assert (
        "the job of this run cannot be told from others: the provider keeps no metadata and lists 1 or more "
        "files. Delete old ones, or restore the lockfile with git."
    ) == str(caught.value)


def test_a_job_that_lost_its_metadata_is_not_paid_for_twice(bench: Bench) -> None:
    """The host entry says that metadata is kept, the host drops it, and the answer was lost."""
    bench.provider.lose = {"create_job"}
    bench.provider.drops_metadata = True
    with pytest.raises(AmbiguousJobError) as caught:
        bench.run()

    assert (
        "ftjob-1 trains on the same file and carries no job key, so it may be the job whose creation was not "
        "confirmed. Nothing was sent again. `finetune cancel JOB --provider local` stops it; if it has "
        "nothing to do with this run, delete journal.jsonl in .finetune/journal and run again."
    ) == str(caught.value)
    assert 1 == bench.provider.count("create_job")


def test_a_job_of_a_recorded_id_is_adopted_without_metadata(bench: Bench) -> None:
    bench.provider.drops_metadata = True
    bench.run()
    run = bench.run()

    assert (2, 1) == counts(bench.provider)
    assert run.job is not None and "ftjob-1" == run.job.id


@pytest.mark.parametrize(("content", "uploads"), [(b"validation\n", 2), (b"validatiom\n", 3), (None, 3)])
def test_a_file_nobody_recorded_is_used_only_when_its_content_is_ours(
    bench: Bench, content: bytes | None, uploads: int
) -> None:
    """Name and size can be anybody's."""
    bench.run()
    bench.provider.jobs.clear()
    (bench.folder / "journal.jsonl").unlink()
    bench.provider.contents["file-2"] = content
    bench.run()

    assert uploads == bench.provider.count("upload")


def test_a_file_this_journal_was_about_to_send_is_used_where_no_content_is_given_back(bench: Bench) -> None:
    bench.provider.gives_content = False
    bench.provider.lose = {"upload"}
    bench.run()

    assert 2 == bench.provider.count("upload")


def test_a_followed_job_keeps_the_ids_of_its_files(bench: Bench) -> None:
    run = bench.run()
    again = bench.run(run)

    assert again == run
    assert "Following ftjob-1 (started before, last queued)" == bench.said[-1]


def test_a_job_found_finished_is_not_locked_before_its_result(bench: Bench) -> None:
    """Killed in between, the next run would take it for done, without a model."""
    bench.run()
    bench.provider.retrieve_job("ftjob-1")
    saved = len(bench.saved)
    run = bench.run()

    assert run.job is not None and "succeeded" == run.job.status
    assert saved == len(bench.saved)


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

    assert "file-1 is gone at the provider or another file now; uploading it again" in bench.said
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


def test_the_commit_of_a_hub_model_is_locked(bench: Bench) -> None:
    """It is the one that the service was asked for, whoever asked."""
    bench.model = f"owner/name@{'a' * 40}"

    assert (RECIPE.training.model, "a" * 40) == (
        bench.run().job.model,
        bench.run(bench.saved[-1]).job.model_revision,
    )
