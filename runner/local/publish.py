"""Makes a trained model available: its folder, its result file and its place in the store."""

import json
import shutil
from pathlib import Path

import runner
from runner.canonical import sha256_file, write_atomically
from runner.local.identifiers import derived_id, new_id
from runner.local.layout import Layout
from runner.local.reporter import checkpoint_model, checkpoint_row
from runner.local.rows import UNFINISHED, CheckpointRow, EventRow, FileRow, JobRow, ModelRow
from runner.local.store import Store
from runner.local.training.job import TrainingResult

# What only resuming needs; the optimiser's state is twice as large as the weights.
RESUME_FILES = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json", "training_args.bin")


def publish(store: Store, layout: Layout, job: JobRow, result: TrainingResult, now: int) -> bool:
    """Move the model to its place and let the job succeed; False when it was cancelled meanwhile."""
    folder = layout.model(job.id)
    # Left by a worker that died while publishing; its job was trained again.
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    result.model_dir.rename(folder)
    checkpoints = _move_checkpoints(layout, job, result, now)
    results = _keep_results(layout, job, result.results_csv, now)
    _write_manifest(layout, job, result)
    model = ModelRow(
        id=job.fine_tuned_model,
        job_id=job.id,
        created_at=now,
        base_model=job.base_model,
        path=folder.relative_to(layout.root).as_posix(),
    )
    models = [checkpoint_model(job, row, layout.checkpoint(job.id, row.step), layout) for row in checkpoints]
    with store.transaction():
        succeeded = _succeed(store, job, result, results, now)
        store.remove_models_of(job.id)
        if succeeded:
            store.add(results, model, *checkpoints, *models, *_last_events(job, now))
    shutil.rmtree(layout.training(job.id), ignore_errors=True)
    if not succeeded:
        shutil.rmtree(folder, ignore_errors=True)
        layout.file(results.id).unlink(missing_ok=True)
    return succeeded


def _succeed(store: Store, job: JobRow, result: TrainingResult, results: FileRow, now: int) -> bool:
    # A job that is paused when its model is complete has nothing left to pause.
    return store.move_job(
        job.id,
        "succeeded",
        allowed_from=UNFINISHED,
        finished_at=now,
        trained_tokens=result.trained_tokens,
        result_files=[results.id],
        weights={"sha256": result.weights_sha256, "platform": result.weights_platform},
    )


def _move_checkpoints(layout: Layout, job: JobRow, result: TrainingResult, now: int) -> list[CheckpointRow]:
    # The last first, and whole: a job that is interrupted here resumes after the last one that is left.
    for checkpoint in reversed(result.checkpoints):
        folder = layout.checkpoint(job.id, checkpoint.step)
        checkpoint.path.rename(folder)
        for name in RESUME_FILES:
            (folder / name).unlink(missing_ok=True)
    return [checkpoint_row(job, checkpoint, now) for checkpoint in result.checkpoints]


def _keep_results(layout: Layout, job: JobRow, results_csv: Path, now: int) -> FileRow:
    file_id = derived_id("file", f"{job.id}/results")
    write_atomically(layout.file(file_id), results_csv.read_bytes())
    return FileRow(
        id=file_id,
        filename="step_metrics.csv",
        purpose="fine-tune-results",
        size_bytes=results_csv.stat().st_size,
        sha256=sha256_file(results_csv),
        created_at=now,
    )


def _write_manifest(layout: Layout, job: JobRow, result: TrainingResult) -> None:
    manifest = {
        "job": job.id,
        "model": job.fine_tuned_model,
        "base_model": job.model,
        "weights": {"sha256": result.weights_sha256, "platform": result.weights_platform},
        "created_by": f"finetune-runner {runner.__version__}",
    }
    content = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    write_atomically(layout.manifest(job.id), content.encode())


def _last_events(job: JobRow, now: int) -> list[EventRow]:
    texts = [f"New fine-tuned model created: {job.fine_tuned_model}", "The job has successfully completed"]
    return [EventRow(id=new_id("ftevent"), job_id=job.id, created_at=now, message=text) for text in texts]
