"""The main job at the embedded service, through the command line, in real processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.providers.local_service import stop_service
from tests.small_project import RECIPE

pytestmark = pytest.mark.torch
pytest.importorskip("torch", reason="torch (the extra `local`) is not installed")
LOCAL = RECIPE.replace("provider: fake", "provider: local").replace("base-1", "tiny-1")


def finetune(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in a folder, as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "runner", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start a command in a folder."""
    command = [sys.executable, "-m", "runner", *arguments]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def make_project(folder: Path, *, n_epochs: int = 2) -> Path:
    """A project with a recipe of fourteen records, two of them or so held out."""
    folder.mkdir(exist_ok=True)
    (folder / "finetune.toml").touch()
    lines = [
        json.dumps({"id": number, "question": f"What is {number}?", "answer": f"It is number {number}."})
        for number in range(14)
    ]
    (folder / "faq.jsonl").write_text("\n".join(lines) + "\n")
    recipe = LOCAL.replace("n_epochs: 2", f"n_epochs: {n_epochs}\n    batch_size: 4")
    (folder / "faq.yaml").write_text(f"{recipe}  seed: 3\n  suffix: faq\nsplit:\n  validation: 0.15\n")
    return folder


def end(folder: Path) -> None:
    stop_service(folder / ".finetune")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Path]:
    """A project whose job takes a while."""
    folder = make_project(tmp_path / "slow", n_epochs=50)
    yield folder
    end(folder)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project that was not run yet."""
    folder = make_project(tmp_path / "project", n_epochs=1)
    yield folder
    end(folder)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project after its first run."""
    folder = make_project(tmp_path_factory.mktemp("trained") / "first")
    done = finetune(folder, "run", "faq.yaml")
    assert done.returncode == 0, done.stderr
    yield folder
    end(folder)


def wait_for(folder: Path, status: str) -> str:
    """Wait until the recipe's job has a status; returns its ID."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (folder / "faq.lock.yaml").exists():
            shown = finetune(folder, "status", "faq.yaml", "--json")
            job = json.loads(shown.stdout)["job"]
            if job["status"] == status:
                return str(job["id"])
        time.sleep(0.1)
    raise AssertionError(f"the job was never {status}")


def test_a_run_trains_and_locks(trained: Path) -> None:
    job = yaml.safe_load((trained / "faq.lock.yaml").read_text())["runs"]["default"]["job"]

    assert ("succeeded", "local", "tiny-1") == (job["status"], job["provider"], job["model"])
    assert job["fine_tuned_model"].startswith("ft:tiny-1:local:faq:")
    assert [4, 8] == [checkpoint["step"] for checkpoint in job["checkpoints"]]
    assert 1 == len(job["weights"])


def test_a_second_run_finds_nothing_to_do(trained: Path) -> None:
    before = (trained / "faq.lock.yaml").stat().st_mtime_ns
    probe = "import sys; from runner.cli.main import run; run(['run', 'faq.yaml']); "
    probe += "print([name for name in ('torch', 'openai') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=trained, capture_output=True, text=True, check=True
    )

    assert "Nothing to do: ft:tiny-1:local:faq:" in done.stdout
    assert done.stdout.endswith("[]\n")
    assert before == (trained / "faq.lock.yaml").stat().st_mtime_ns


@pytest.mark.long
def test_a_rerun_reproduces_the_weights(tmp_path: Path) -> None:
    """Really trained twice; the lockfile then has the second attempt with the same hash of the weights."""
    folder = make_project(tmp_path / "rerun")
    finetune(folder, "run", "faq.yaml")
    before = yaml.safe_load((folder / "faq.lock.yaml").read_text())["runs"]["default"]["job"]
    done = finetune(folder, "rerun", "faq.yaml")
    after = yaml.safe_load((folder / "faq.lock.yaml").read_text())["runs"]["default"]["job"]
    verified = finetune(folder, "verify", "faq.yaml", "--remote")
    end(folder)

    assert (0, "same weights") == (done.returncode, done.stdout.splitlines()[-1]), done.stderr
    assert (1, 2) == (before["attempt"], after["attempt"])
    assert before["weights"] == after["weights"]
    assert before["id"] != after["id"]
    assert 0 == verified.returncode
    assert f"local: model {after['fine_tuned_model']}: there\n" in verified.stdout


def test_another_folder_gives_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    """Dataset files, weights and lockfile do not depend on where, when or by whom they are made."""
    other = make_project(tmp_path / "another folder")
    env = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Seoul", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-m", "runner", "run", "faq.yaml"],
        cwd=other,
        env=env,
        capture_output=True,
        check=False,
    )
    try:
        assert 0 == done.returncode, done.stderr
        assert (trained / "faq.lock.yaml").read_bytes() == (other / "faq.lock.yaml").read_bytes()
        names = [
            sorted(path.name for path in (folder / ".finetune/datasets").iterdir())
            for folder in (trained, other)
        ]
        assert names[0] == names[1]
        weights = [
            next((folder / ".finetune/local/models").rglob("model.safetensors"))
            for folder in (trained, other)
        ]
        assert weights[0].read_bytes() == weights[1].read_bytes()
    finally:
        end(other)


@pytest.mark.long
def test_a_second_stage_trains_the_result_further(project: Path) -> None:
    """One run trains both stages, and the loss goes on where the first one ended."""
    (project / "more.yaml").write_text(
        "version: 1\nextends: faq.yaml\nname: more\ntraining:\n  model: {recipe: faq.yaml}\n"
        "  hyperparameters: {n_epochs: 1, batch_size: 4}\n"
    )
    done = finetune(project, "run", "more.yaml")
    first, second = (
        yaml.safe_load((project / f"{name}.lock.yaml").read_text())["runs"]["default"]["job"]
        for name in ("faq", "more")
    )
    losses = [
        [event["data"]["train_loss"] for event in metrics(project, job["id"])] for job in (first, second)
    ]

    assert 0 == done.returncode, done.stderr
    assert 2 == done.stderr.count("Fine-tuning job started")
    assert {"recipe": "faq.yaml", "profile": "default", "digest": first["digest"]} == second["base"]
    assert first["fine_tuned_model"] == second["model"]
    assert losses[1][0] < losses[0][-1] < losses[0][0]


def metrics(folder: Path, job_id: str) -> list[Any]:
    """The metric events of a job, oldest first."""
    shown = finetune(folder, "events", job_id, "--json")
    return [event for event in json.loads(shown.stdout)["events"] if event["type"] == "metrics"]


def test_a_lock_from_elsewhere_means_train_here(trained: Path, tmp_path: Path) -> None:
    other = make_project(tmp_path / "colleague")
    shutil.copy(trained / "faq.lock.yaml", other)
    planned = finetune(other, "plan", "faq.yaml")

    assert "+ create job: train here: ft:tiny-1:local:faq:" in planned.stdout


@pytest.mark.long
def test_a_job_from_elsewhere_is_named_with_what_trains_it_here(trained: Path, tmp_path: Path) -> None:
    other = make_project(tmp_path / "colleague")
    shutil.copy(trained / "faq.lock.yaml", other)
    commands = (("status",), ("events",), ("cancel",), ("chat", "faq.yaml", "What is 3?"))
    asked = [finetune(other, *command) for command in commands]
    end(other)

    assert [1] * 4 == [each.returncode for each in asked]
    assert [] == [
        each.stderr
        for each in asked
        if not each.stderr.endswith(" is not on this machine; `finetune run faq.yaml` trains it here.\n")
    ]


@pytest.mark.long
def test_an_evaluation_of_a_lock_from_elsewhere_says_what_trains_the_model_here(
    trained: Path, tmp_path: Path
) -> None:
    other = make_project(tmp_path / "colleague")
    shutil.copy(trained / "faq.lock.yaml", other)
    graders = "evaluation: {on: training, graders: [{type: string_check, operation: eq}]}\n"
    (other / "faq.yaml").write_text((other / "faq.yaml").read_text() + graders)
    asked = finetune(other, "eval", "faq.yaml")
    end(other)

    assert 1 == asked.returncode
    assert asked.stderr.endswith("does not exist. `finetune run faq.yaml` trains it again.\n")


def test_the_tuned_model_answers(trained: Path) -> None:
    asked = finetune(trained, "chat", "faq.yaml", "What is 3?", "--max-tokens", "5", "--json")

    assert 0 == asked.returncode, asked.stderr
    assert json.loads(asked.stdout)["model"].startswith("ft:tiny-1:local:faq:")


def test_lists_show_what_is_there(trained: Path) -> None:
    jobs, files, models = (
        json.loads(finetune(trained, *command, "--json").stdout)
        for command in (("jobs",), ("files", "list"), ("models", "list"))
    )

    assert ["succeeded"] == [job["status"] for job in jobs["jobs"]]
    assert {"fine-tune", "fine-tune-results"} == {file["purpose"] for file in files["files"]}
    assert "tiny-1" in {model["id"] for model in models["models"]}


def test_ctrl_c_detaches_and_watch_attaches_again(slow: Path) -> None:
    """Then a cancelled job is reported, and not replaced unasked."""
    process = start(slow, "run", "faq.yaml")
    job = wait_for(slow, "running")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)

    assert 130 == process.returncode
    assert said.endswith(
        f"error: interrupted; job {job} goes on. "
        "`finetune watch faq.yaml` attaches again, `finetune cancel faq.yaml` stops it.\n"
    )
    watching = start(slow, "watch", "faq.yaml")
    assert 0 == finetune(slow, "cancel", "faq.yaml").returncode
    _, said = watching.communicate(timeout=30)
    again = finetune(slow, "run", "faq.yaml")

    assert (4, 4) == (watching.returncode, again.returncode)
    assert said.endswith(
        f"error: job {job} was cancelled. `finetune run faq.yaml --retry` starts a new attempt.\n"
    )
    assert (
        "cancelled"
        == yaml.safe_load((slow / "faq.lock.yaml").read_text())["runs"]["default"]["job"]["status"]
    )


@pytest.mark.long
def test_a_killed_worker_is_a_failed_job_and_a_retry_a_new_one(slow: Path) -> None:
    process = start(slow, "run", "faq.yaml")
    job = wait_for(slow, "running")
    # A worker that is killed is followed by another one, as long as the job comes further each time.
    while process.poll() is None:
        subprocess.run(["pkill", "-KILL", "-f", f"runner.local.worker.*{job}"], check=False)
        time.sleep(0.2)
    _, said = process.communicate(timeout=30)

    assert 4 == process.returncode
    assert (
        f"error: job {job} failed: worker_died: The training process was ended by signal 9 (SIGKILL)." in said
    )
    retry = start(slow, "run", "faq.yaml", "--retry")
    time.sleep(1)
    again = wait_for(slow, "running")
    retry.send_signal(signal.SIGINT)
    retry.communicate(timeout=30)

    assert job != again


@pytest.mark.long
def test_a_killed_service_is_started_again_and_the_job_goes_on(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "killed", n_epochs=12)
    process = start(folder, "run", "faq.yaml")
    try:
        wait_for(folder, "running")
        record = json.loads((folder / ".finetune/local/service.json").read_text())
        os.kill(record["pid"], signal.SIGKILL)
        out, said = process.communicate(timeout=120)

        assert 0 == process.returncode, said
        assert "fine-tuned model  ft:tiny-1:local:faq:" in out
    finally:
        end(folder)
