"""Finding and starting the local service."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import runner
from runner.errors import MissingExtraError, ProviderError
from runner.local.launcher import Launcher
from runner.local.layout import Layout, read_record, write_record
from runner.providers import local_service
from runner.providers.local_service import ensure_service, has_artefact, has_job, make_way, stop_service
from tests.local import fake_worker
from tests.local.harness import finished, start_service, upload, worker_pid

JOB_ID = "ftjob-0123456789abcdef01234567"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder whose service is stopped afterwards."""
    folder = tmp_path / ".finetune"
    yield folder
    stop_service(folder)


def test_a_service_is_started_once(state: Path) -> None:
    """The second command finds the first one's."""
    started = time.monotonic()
    address = ensure_service(state)
    cold_s = time.monotonic() - started

    assert ensure_service(state) == address
    assert cold_s < 5
    assert address.token not in repr(address)


def test_commands_at_once_start_one_service(state: Path) -> None:
    """They take turns."""
    with ThreadPoolExecutor(4) as pool:
        addresses = list(pool.map(ensure_service, [state] * 4))

    assert len(set(addresses)) == 1


def test_a_service_that_was_killed_is_replaced(state: Path) -> None:
    """Its record is stale and nobody answers."""
    first = ensure_service(state)
    os.kill(first.pid, signal.SIGKILL)

    assert ensure_service(state).pid != first.pid


def test_another_program_at_the_recorded_port_is_not_taken_for_the_service(state: Path) -> None:
    """Ports are used again."""
    first = ensure_service(state)
    os.kill(first.pid, signal.SIGKILL)
    layout = Layout(state)
    record = read_record(layout)
    assert record is not None
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        write_record(layout, replace(record, port=port))

        assert ensure_service(state).base_url != f"http://127.0.0.1:{port}/v1"


def test_a_service_of_another_version_is_replaced(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no job, so it is asked to stop."""
    first = ensure_service(state)
    layout = Layout(state)
    record = read_record(layout)
    assert record is not None
    old = local_service._Running(record=replace(record, version="0.0.1"), live_jobs=0)
    found = iter([old, old])
    monkeypatch.setattr(local_service, "_find", lambda _: next(found, None) or real_find(layout))

    assert ensure_service(state).pid != first.pid


def real_find(layout: Layout):
    """The starter's own way to find the service."""
    record = read_record(layout)
    health = local_service._health(record) if record else None
    return local_service._Running(record=record, live_jobs=0) if health else None


def test_a_service_with_another_launcher_is_replaced(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that was to train in two processes never trains in one because a service was there already."""
    first = ensure_service(state)
    monkeypatch.setenv("FINETUNE_PROCESSES", "2")
    second = ensure_service(state)
    record = read_record(Layout(state))

    assert first.pid != second.pid == ensure_service(state).pid
    assert record is not None
    assert Launcher(n_processes=2) == record.launcher


def test_a_service_that_somebody_started_keeps_its_launcher() -> None:
    """Nor is one replaced that trains."""
    record = local_service.ServiceRecord(pid=1, port=1, token="t", version=runner.__version__)
    two = Launcher(n_processes=2)

    assert local_service._Running(record=record, live_jobs=0).suits(two)
    assert local_service._Running(record=replace(record, is_detached=True), live_jobs=1).suits(two)


def test_a_service_of_another_version_with_a_job_is_used() -> None:
    """A job is worth more than a version."""
    record = local_service.ServiceRecord(pid=1, port=1, token="t", version="0.0.1")

    assert local_service._Running(record=record, live_jobs=1).suits(Launcher())
    assert not local_service._Running(record=record, live_jobs=0).suits(Launcher())
    current = replace(record, version=runner.__version__)
    assert local_service._Running(record=current, live_jobs=0).suits(Launcher())


def test_an_idle_service_makes_way(state: Path) -> None:
    """It was started by a command that is long over."""
    ensure_service(state)
    make_way(state)

    assert not stop_service(state)
    make_way(state)


def test_a_service_with_a_job_does_not_make_way(state: Path) -> None:
    running = start_service(state)
    with running.client() as client:
        file = upload(client).id
        job = client.fine_tuning.jobs.create(model="tiny-1", training_file=file, seed=fake_worker.WAITS)
    with pytest.raises(ProviderError) as caught:
        make_way(state)

    assert (
        f"the local service of this project runs at {running.record.base_url} and works on {job.id}. "
        "Wait for the end, or stop it with `finetune serve --stop`: jobs go on without it."
    ) == str(caught.value)
    worker_pid(running.layout, job.id)
    (running.layout.training(job.id) / fake_worker.GO).touch()
    with running.client() as client:
        assert "succeeded" == finished(client, job.id).status
    assert 0 == running.stop()


def test_a_service_in_a_terminal_does_not_make_way(state: Path) -> None:
    """Somebody may be using it."""
    ensure_service(state)
    layout = Layout(state)
    record = read_record(layout)
    assert record is not None
    write_record(layout, replace(record, is_detached=False))
    with pytest.raises(ProviderError) as caught:
        make_way(state)
    write_record(layout, record)

    assert (
        f"the local service of this project runs at {record.base_url} (process {record.pid}). "
        "Use it, or stop it with `finetune serve --stop`."
    ) == str(caught.value)


def test_stopping_waits_for_the_end(state: Path) -> None:
    """Afterwards there is no service, and stopping again says so."""
    address = ensure_service(state)

    assert stop_service(state)
    assert not stop_service(state)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(address.base_url.split(":")[2].split("/")[0]))) != 0


def test_a_service_that_cannot_start_is_explained(state: Path) -> None:
    """The log's last words are in the message."""
    layout = Layout(state)
    layout.root.mkdir(parents=True)
    layout.database.write_bytes(b"not a database" * 100)
    with pytest.raises(ProviderError) as caught:
        ensure_service(state)

    assert str(caught.value) == (
        "The local service did not start. Its last words: "
        f"The local service's state {layout.database} cannot be used: file is not a database. "
        f"Move the folder {layout.root} away to start anew; the models in it are kept there."
    )


def test_a_missing_extra_is_named(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is the command to run."""
    monkeypatch.setattr(local_service, "EXTRA_MODULES", ("starlette", "no_such_module"))
    with pytest.raises(MissingExtraError) as caught:
        ensure_service(state)

    assert str(caught.value) == (
        "Training on this machine needs the extra `local` (no_such_module not found): "
        "pip install 'finetune-runner[local]'"
    )


def test_keys_of_providers_do_not_reach_the_service(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models run in its processes."""
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "NEBIUS_API_KEY"):
        monkeypatch.setenv(name, "secret")
    address = ensure_service(state)
    environment = Path(f"/proc/{address.pid}/environ")
    if not environment.exists():
        pytest.skip("this system has no /proc")

    assert b"secret" not in environment.read_bytes()


def test_an_artefact_is_a_complete_model(state: Path) -> None:
    """The manifest is written last; an ID from a lockfile never leads elsewhere."""
    layout = Layout(state)
    layout.model(JOB_ID).mkdir(parents=True)
    assert not has_artefact(state, JOB_ID)
    layout.manifest(JOB_ID).write_text(json.dumps({}))

    assert has_artefact(state, JOB_ID)
    assert not has_artefact(state, f"../models/{JOB_ID}")
    assert not has_job(state, JOB_ID)
    layout.job(JOB_ID).mkdir(parents=True)
    assert has_job(state, JOB_ID)


def test_importing_the_starter_is_light() -> None:
    """Commands that train nothing do not pay for the service."""
    heavy = {"openai", "starlette", "uvicorn", "torch", "sqlite3", "asyncio"}
    program = f"import sys, runner.providers.local_service; sys.exit(str(sorted({heavy} & set(sys.modules))))"
    root = Path(runner.__file__).parents[1]
    found = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True)

    assert found.stderr.strip() == "[]"
