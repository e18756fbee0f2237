"""Logs a job as a run of Weights & Biases."""

import shutil
from pathlib import Path

from runner.errors import MissingExtraError, RunnerError
from runner.sharing.record import JobRecord


def log(record: JobRecord, folder: Path, project: str, mode: str) -> str:
    """Log a job as the run that has its ID; where it lies. `mode` is `online` or `offline`.

    Offline, the files wait in the folder for `wandb sync`. Raises MissingExtraError, and RunnerError where
    the service refuses.
    """
    try:
        import wandb
    except ImportError as error:
        raise MissingExtraError(
            f"Weights & Biases needs the extra `wandb` ({error.name} is missing): "
            "pip install 'finetune-runner[wandb]'"
        ) from error
    # The program's own code, output and machine are nothing that the recipe's readers asked for.
    quiet = wandb.Settings(
        console="off",
        disable_git=True,
        disable_code=True,
        disable_job_creation=True,
        silent=True,
        show_info=False,
        show_warnings=False,
        x_disable_meta=True,
        x_disable_stats=True,
        x_save_requirements=False,
    )
    folder.mkdir(parents=True, exist_ok=True)
    try:
        run = wandb.init(
            project=project,
            id=record.job_id,
            name=record.name,
            config=dict(record.settings),
            dir=str(folder),
            mode="offline" if mode == "offline" else "online",
            resume="allow",
            settings=quiet,
        )
        for step, values in sorted(_by_step(record).items()):
            run.log(values, step=step)
        run.summary.update({"status": record.status, **record.tags})
        run.summary.update({f"evaluation/{name}": score for name, score in record.scores.items()})
        for path in record.files:
            # A copy: W&B links to what it is given, and the recipe may change before a sync.
            run.save(shutil.copy(path, run.dir), base_path=run.dir, policy="now")
        where = f"{run.dir}; `wandb sync` sends it" if mode == "offline" else run.url
        run.finish(exit_code=0 if record.status == "succeeded" else 1)
    except wandb.Error as error:
        raise RunnerError(f"Weights & Biases says: {error}") from error
    return str(where)


def _by_step(record: JobRecord) -> dict[int, dict[str, float]]:
    steps: dict[int, dict[str, float]] = {}
    for name, points in record.curves.items():
        for point in points:
            steps.setdefault(point.step, {})[name] = point.value
    return steps
