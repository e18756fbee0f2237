"""The state that the service and its workers share."""

import sqlite3
from pathlib import Path

import pytest

from runner.errors import RunnerError
from runner.local.rows import EventRow, FileRow, JobRow
from runner.local.store import Store
from runner.local.tables import MIGRATIONS

JOB = JobRow(
    id="ftjob-1",
    created_at=7,
    model="tiny-1",
    base_model="tiny-1",
    fine_tuned_model="ft:tiny-1:local::1",
    training_file="file-1",
    hyperparameters={"n_epochs": "auto"},
    seed=3,
    metadata={"recipe": "안내"},
)


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path / "local" / "state.db")
    yield opened
    opened.close()


def test_a_job_comes_back_as_it_went_in(store: Store) -> None:
    """Mappings, tuples, numbers and absent values survive the database."""
    store.add(JOB)

    assert store.job("ftjob-1") == JOB


def test_the_first_outcome_of_a_job_stays(store: Store) -> None:
    """A cancelled job never becomes succeeded."""
    store.add(JOB)

    assert store.move_job("ftjob-1", "cancelled", finished_at=9)
    assert not store.move_job("ftjob-1", "succeeded", finished_at=10)
    job = store.job("ftjob-1")
    assert job is not None
    assert (job.status, job.finished_at, job.is_live) == ("cancelled", 9, False)


def test_a_finished_job_takes_no_new_values(store: Store) -> None:
    """A worker that comes late cannot change what was reported."""
    store.add(JOB)
    store.move_job("ftjob-1", "failed")
    store.update_job("ftjob-1", estimated_finish=99)

    job = store.job("ftjob-1")
    assert job is not None
    assert job.estimated_finish is None


def test_another_connection_sees_a_change_at_once(store: Store, tmp_path: Path) -> None:
    """What the service writes, a worker reads at its next step."""
    store.add(JOB)
    worker = Store(tmp_path / "local" / "state.db", durable=False)
    store.move_job("ftjob-1", "cancelled")

    assert not worker.may_go_on(JOB)
    worker.close()


def test_a_repeated_row_is_left_as_it_was(store: Store) -> None:
    """A step that is trained again after a crash is the same event."""
    first = EventRow(id="ftevent-1", job_id="ftjob-1", created_at=1, message="Step 1")
    store.add(first, EventRow(id="ftevent-1", job_id="ftjob-1", created_at=2, message="Step 1 again"))

    assert store.events("ftjob-1", limit=10) == [first]


def test_events_come_newest_first_and_in_pages(store: Store) -> None:
    """A page goes on behind the event it names."""
    rows = [EventRow(id=f"e{n}", job_id="ftjob-1", created_at=1, message=str(n)) for n in range(4)]
    store.add(*rows)

    assert store.events("ftjob-1", limit=2) == [rows[3], rows[2]]
    assert store.events("ftjob-1", after="e2", limit=9) == [rows[1], rows[0]]


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    """Rows of one transaction appear together or not at all."""
    file = FileRow(id="f", filename="a", purpose="p", size_bytes=1, sha256="0", created_at=1)
    with pytest.raises(RuntimeError), store.transaction():
        store.add(file)
        raise RuntimeError

    assert store.file("f", now=2) is None


def test_a_damaged_state_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """A file that is no database says what to do."""
    path = tmp_path / "state.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(RunnerError) as caught:
        Store(path)

    assert str(caught.value) == (
        f"The local service's state {path} cannot be used: file is not a database. "
        f"Move the folder {tmp_path} away to start anew; the models in it are kept there."
    )


def test_the_state_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """A newer schema is not guessed at."""
    path = tmp_path / "state.db"
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RunnerError) as caught:
        Store(path)

    assert str(caught.value) == (
        "The local service's state was written by a newer version of finetune-runner (state 99, expected "
        f"at most {len(MIGRATIONS)}). Install that version, or delete the folder `.finetune/local`."
    )


def test_the_state_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """Jobs, files and models of a project survive an update."""
    path = tmp_path / "state.db"
    connection = sqlite3.connect(path)
    connection.executescript(MIGRATIONS[0])
    connection.execute(
        "INSERT INTO files (id, filename, purpose, size_bytes, sha256, created_at) "
        "VALUES ('file-1', 'a.jsonl', 'fine-tune', 3, '0', 7)"
    )
    connection.execute(
        "INSERT INTO jobs (id, created_at, model, base_model, fine_tuned_model, status, training_file, "
        "hyperparameters, seed, allow_network, starts, result_files) "
        "VALUES ('ftjob-1', 7, 'tiny-1', 'tiny-1', 'ft:tiny-1:local::1', 'succeeded', 'file-1', '{}', 3, 0, "
        "1, '[]')"
    )
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    opened = Store(path)

    assert opened.files(now=8) == [
        FileRow(id="file-1", filename="a.jsonl", purpose="fine-tune", size_bytes=3, sha256="0", created_at=7)
    ]
    job = opened.job("ftjob-1")
    assert job is not None
    assert (job.status, job.method, job.integrations, job.pauses) == ("succeeded", "supervised", (), 0)
    opened.close()
    Store(path).close()


def test_a_worker_of_before_a_pause_may_not_go_on(store: Store) -> None:
    """Not even when the job was resumed before it looked."""
    store.add(JOB)
    store.move_job("ftjob-1", "paused", pauses=1)
    assert not store.may_go_on(JOB)

    store.move_job("ftjob-1", "queued", allowed_from=["paused"])
    resumed = store.job("ftjob-1")
    assert resumed is not None
    assert (store.may_go_on(JOB), store.may_go_on(resumed)) == (False, True)
