"""Trains a model by one of the methods: the frame that they share, from the files to the saved weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate.utils import DistributedType
from transformers import PrinterCallback

from runner.local.training.deprecations import library_deprecations_ignored
from runner.local.training.environment import TINY_1_THREADS
from runner.local.training.failures import machine_failure
from runner.local.training.hyperparameters import resolve_hyperparameters
from runner.local.training.job import (
    Adapter,
    Method,
    Reporter,
    ResolvedHyperparameters,
    TrainingCancelled,
    TrainingError,
    TrainingJob,
    TrainingResult,
)
from runner.local.training.models import ADAPTER_CONFIG, Form, LoadedModel, device_for, load_model
from runner.local.training.processes import (
    SharedReporter,
    is_first,
    join,
    leave,
    wait_for_all,
    world_size,
)
from runner.local.training.progress import (
    ProgressCallback,
    Validation,
    read_checkpoints,
    remove_unfinished_checkpoints,
    stop_if_cancelled,
)
from runner.local.training.results import weights_platform, write_results
from runner.local.training.saving import choose_checkpoint, save_model, weights_sha256
from runner.local.training.tiny_model import TINY_1
from runner.local.training.trainer_config import adapter_config, checkpoints_dir, n_steps
from runner.local.training.training_file import FilePurpose

RESULTS_CSV = "results.csv"
FORMS: Mapping[Adapter, Form] = {"lora": "usual", "qlora": "4-bit", "none": "full"}


class TrainingMethod(Protocol):
    """What a method adds to the frame; each is a module. Examples know their `n_tokens`."""

    def read_examples(self, path: Path, loaded: LoadedModel, name: str, purpose: FilePurpose) -> list[Any]:
        """Read and tokenise a file for a model of this name. Raises TrainingError."""

    def make_trainer(
        self,
        job: TrainingJob,
        loaded: LoadedModel,
        hyperparameters: ResolvedHyperparameters,
        examples: list[Any],
        adapter: Any,
    ) -> Any:
        """Set a trainer up; `adapter` is the LoRA adapter to add, None where there is none to add."""

    def validate(self, trainer: Any, examples: list[Any], reporter: Reporter) -> Validation:
        """Measure the trainer's model on the validation examples, one at a time."""


def train(job: TrainingJob, reporter: Reporter | None) -> TrainingResult:
    """Run a job to its end and leave the model in `job.output_dir / "model"`.

    The folder belongs to the job: when it holds a complete checkpoint, training goes on from there, with the
    same weights in the end. tiny-1 is tuned in full, every other model as the options say. The same job gives
    the same weights on an equal platform. Where several processes train together, each calls this; only the
    first has a reporter and writes. Raises TrainingError and TrainingCancelled.
    """
    try:
        with library_deprecations_ignored():
            join()
            return _train(job, _method(job.method), SharedReporter(reporter))
    except (TrainingError, TrainingCancelled):
        raise
    except Exception as error:
        failure = machine_failure(error)
        if failure is None:
            raise
        raise failure from error
    finally:
        leave()


def _train(job: TrainingJob, method: TrainingMethod, reporter: Reporter) -> TrainingResult:
    stop_if_cancelled(reporter)
    _make_deterministic(job)
    kind = _kind(job)
    loaded = load_model(
        job.base_model,
        job.base_model_path,
        allow_network=job.allow_network,
        is_trainable=True,
        form=FORMS[kind],
    )
    examples = method.read_examples(job.training_file, loaded, job.base_model, "training_file")
    held_out = job.validation_file
    validation_examples = (
        method.read_examples(held_out, loaded, job.base_model, "validation_file") if held_out else []
    )
    hyperparameters = resolve_hyperparameters(job.hyperparameters, len(examples), job.method)
    reporter.resolved(hyperparameters, n_steps(hyperparameters, len(examples)), len(examples))
    adapter = None if kind == "none" or loaded.is_adapter else adapter_config(job.options)
    trainer = method.make_trainer(job, loaded, hyperparameters, examples, adapter)
    trainer.remove_callback(PrinterCallback)

    def validate() -> Validation | None:
        return method.validate(trainer, validation_examples, reporter) if validation_examples else None

    results_csv = job.output_dir / RESULTS_CSV
    progress = ProgressCallback(reporter, results_csv, validate, job.options)
    trainer.add_callback(progress)
    resumed = _resume(job, reporter, progress)
    # A run that was interrupted after its early end has nothing left to train.
    if not progress.ends_here:
        trainer.train(resume_from_checkpoint=resumed)
    engine = _engine(trainer)
    # Divided weights are put together by all processes.
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped) if engine else None
    if is_first():
        write_results(results_csv, progress.rows)
        save_model(job, trainer.accelerator.unwrap_model(trainer.model), loaded.tokenizer, weights)
        choose_checkpoint(job, reporter, trainer, progress.rows)
    wait_for_all()
    return _result(job, hyperparameters, examples, weights_platform(loaded.device, world_size(), engine))


def _result(
    job: TrainingJob, hyperparameters: ResolvedHyperparameters, examples: list[Any], platform: str
) -> TrainingResult:
    """What was saved, read back by every process."""
    checkpoints = read_checkpoints(checkpoints_dir(job))
    model_dir = job.output_dir / "model"
    result = TrainingResult(
        hyperparameters=hyperparameters,
        trained_tokens=sum(example.n_tokens for example in examples) * checkpoints[-1].epoch,
        weights_sha256=weights_sha256(model_dir),
        weights_platform=platform,
        model_dir=model_dir,
        checkpoints=tuple(checkpoints),
        results_csv=job.output_dir / RESULTS_CSV,
    )
    # The first process publishes the files from here on, so it has to wait for those that still read them.
    wait_for_all()
    return result


def _kind(job: TrainingJob) -> Adapter:
    """How to tune the model: tiny-1 in full, a tuned one as before, another one as asked."""
    asked, path = job.options.adapter, job.base_model_path
    if job.base_model == TINY_1:
        return "none"
    if path is not None and not (path / ADAPTER_CONFIG).is_file():
        return "none"
    return asked or "lora"


def _engine(trainer: Any) -> str:
    """What divides the weights among the processes, as `accelerate launch` set it up; "" where none does."""
    engines = {DistributedType.FSDP: "fsdp", DistributedType.DEEPSPEED: "deepspeed"}
    return engines.get(trainer.accelerator.distributed_type, "")


def _method(name: Method) -> TrainingMethod:
    # Each brings a trainer that takes a second to import.
    if name == "dpo":
        from runner.local.training import preference

        return preference
    if name == "reinforcement":
        from runner.local.training import reinforcement

        return reinforcement
    from runner.local.training import supervised

    return supervised


def _make_deterministic(job: TrainingJob) -> None:
    # Some CUDA kernels have no deterministic form; a warning is better than a job that cannot run at all.
    on_gpu = device_for(job.base_model).type == "cuda"
    torch.use_deterministic_algorithms(mode=True, warn_only=on_gpu)
    # Otherwise torch fills every new tensor with NaN first.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if job.base_model == TINY_1:
        torch.set_num_threads(TINY_1_THREADS)


def _resume(job: TrainingJob, reporter: Reporter, progress: ProgressCallback) -> str | None:
    """Prepare to go on after the last complete checkpoint; return its folder, None to start afresh."""
    # The trainer would count them among the checkpoints to keep.
    if is_first():
        remove_unfinished_checkpoints(checkpoints_dir(job))
    wait_for_all()
    finished = read_checkpoints(checkpoints_dir(job))
    if not finished:
        return None
    progress.resume_from(finished[-1].step)
    reporter.event("info", f"Resuming after step {finished[-1].step}")
    return str(finished[-1].path)
