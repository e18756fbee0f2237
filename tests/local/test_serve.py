"""How the service starts, refuses to start, and ends."""

import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from runner.errors import RunnerError
from runner.local.locks import is_locked
from runner.local.serve import serve
from tests.local import fake_worker
from tests.local.harness import REPOSITORY, start_service, upload, wait_for, worker_pid


def test_a_second_service_is_refused(state: Path) -> None:
    """The sentence names the one that runs."""
    running = start_service(state)
    with pytest.raises(RunnerError) as caught:
        serve(state, token="other")

    pid = running.record.pid
    assert str(caught.value) == (
        f"A local service already runs for this project at {running.record.base_url} (process {pid}). "
        "Use it, or stop it with `finetune serve --stop`."
    )
    assert running.stop() == 0


def test_a_taken_port_is_a_sentence(state: Path) -> None:
    """Nothing is left behind."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RunnerError) as caught:
            serve(state, token="t", port=port)

    assert str(caught.value) == (
        f"The local service cannot listen on 127.0.0.1:{port}: Address already in use. "
        "Choose another port with --port."
    )
    assert not (state / "local" / "service.json").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_cleanly(state: Path, number: signal.Signals) -> None:
    """The record goes, the lock is free."""
    running = start_service(state)
    running.process.send_signal(number)

    assert running.process.wait(timeout=10) == 0
    assert not running.layout.record.exists()
    assert not is_locked(running.layout.service_lock)


def test_an_idle_service_ends(state: Path) -> None:
    """Nobody has to stop it."""
    running = start_service(state, "--idle-s", "0.2")

    assert running.process.wait(timeout=10) == 0
    assert not running.layout.record.exists()


def test_a_service_with_a_job_is_not_idle(state: Path) -> None:
    """It stays until the job is done."""
    running = start_service(state, "--idle-s", "0.5")
    with running.client() as client:
        job = client.fine_tuning.jobs.create(
            model="tiny-1", training_file=upload(client).id, seed=fake_worker.WAITS
        )
    worker_pid(running.layout, job.id)
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(timeout=1.5)
    (running.layout.training(job.id) / fake_worker.GO).touch()

    assert running.process.wait(timeout=10) == 0


def test_a_removed_folder_ends_the_service_and_its_job(state: Path) -> None:
    """What is trained for a folder that is gone could never be found."""
    running = start_service(state)
    with running.client() as client:
        job = client.fine_tuning.jobs.create(
            model="tiny-1", training_file=upload(client).id, seed=fake_worker.WAITS
        )
    pid = worker_pid(running.layout, job.id)
    wait_for(lambda: _is_removed(running.layout.root))

    assert running.process.wait(timeout=10) == 1
    wait_for(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text())


def _is_removed(folder: Path) -> bool:
    """Remove a folder, again while its processes still write into it."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def test_the_service_process_stays_light() -> None:
    """Neither the training libraries nor the SDK are loaded to serve."""
    heavy = {"torch", "transformers", "openai", "pandas", "jsonschema"}
    program = f"import sys, runner.local.detached; sys.exit(str(sorted({heavy} & set(sys.modules))))"
    found = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True)

    assert found.stderr.strip() == "[]"
