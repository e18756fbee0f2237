"""The processes that train one model together; torchrun or another launcher starts them."""

import os
from collections.abc import Mapping

from runner.local.training.job import Checkpoint, Level, Reporter, ResolvedHyperparameters, StepMetrics


def world_size(environment: Mapping[str, str] = os.environ) -> int:
    """How many processes there are; what launchers set, https://docs.pytorch.org/docs/stable/elastic/run.html."""
    return int(environment.get("WORLD_SIZE", "1"))


def rank(environment: Mapping[str, str] = os.environ) -> int:
    """The number of this process; the first, 0, reports and writes."""
    return int(environment.get("RANK", "0"))


def is_first() -> bool:
    """Whether this process reports and writes."""
    return rank() == 0


def join() -> None:
    """Meet the other processes, before anything that one of them may stop at; each takes a GPU of its own."""
    import torch

    if world_size() == 1 or torch.distributed.is_initialized():
        return
    backend = "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
        backend = "cuda:nccl,cpu:gloo"
    torch.distributed.init_process_group(backend)


def leave() -> None:
    """Part from the others at the end."""
    import torch

    if world_size() > 1 and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def wait_for_all() -> None:
    """Go on when every process is here."""
    sum_over_all(0.0)


def sum_over_all(*numbers: float) -> list[float]:
    """Add each number up over the processes."""
    if world_size() == 1:
        return list(numbers)
    import torch

    total = torch.tensor(numbers, dtype=torch.float64)
    torch.distributed.all_reduce(total)
    values: list[float] = total.tolist()
    return values


class SharedReporter:
    """The reporter of the first process, for all: what it decides holds for every one."""

    def __init__(self, reporter: Reporter | None) -> None:
        self._reporter = reporter

    def event(self, level: Level, message: str) -> None:
        """Pass a line of the job's log on."""
        if self._reporter is not None:
            self._reporter.event(level, message)

    def resolved(self, hyperparameters: ResolvedHyperparameters, total_steps: int, n_examples: int) -> None:
        """Pass the values behind "auto" on."""
        if self._reporter is not None:
            self._reporter.resolved(hyperparameters, total_steps, n_examples)

    def metrics(self, metrics: StepMetrics) -> None:
        """Pass a step's measurements on."""
        if self._reporter is not None:
            self._reporter.metrics(metrics)

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Pass a checkpoint on."""
        if self._reporter is not None:
            self._reporter.checkpoint(checkpoint)

    def is_cancelled(self) -> bool:
        """Whether the first process was told to stop; every process asks as often."""
        is_cancelled = self._reporter is not None and self._reporter.is_cancelled()
        return sum_over_all(float(is_cancelled))[0] > 0
