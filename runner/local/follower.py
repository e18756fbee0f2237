"""What a process does that trains a job beside the first one."""

import json
import os
import threading
import time
from dataclasses import asdict
from typing import Any

from runner.canonical import write_atomically
from runner.local.layout import Layout
from runner.local.rows import JobRow
from runner.local.task import Train, check_processes, failure_of, training_job, validate_files
from runner.local.training.job import TrainingCancelled

POLL_S = 0.5


def follow(layout: Layout, job_id: str, n_processes: int, train: Train) -> int:
    """Train beside the first process, which alone reports and writes; 1 where this process fails.

    What went wrong is left in the job's folder, for the service to tell if the first process cannot.
    """
    job = _read_task(layout, job_id)
    try:
        check_processes(n_processes)
        validate_files(layout, job)
        train(training_job(layout, job), None)
    except TrainingCancelled:
        return 0
    except Exception as error:  # noqa: BLE001 - the boundary of the process
        failure = json.dumps(
            asdict(failure_of(error, layout.shown(layout.worker_log(job_id)))), ensure_ascii=False
        )
        write_atomically(layout.worker_failure(job_id), failure.encode())
        return 1
    return 0


def end_with_launcher() -> None:
    """Let this process end soon after the one that started it, which alone is told when to stop."""
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(launcher: int) -> None:
    while os.getppid() == launcher:
        time.sleep(POLL_S)
    os._exit(1)


def _read_task(layout: Layout, job_id: str) -> JobRow:
    task: dict[str, Any] = json.loads(layout.worker_task(job_id).read_bytes())
    return JobRow(**task)
