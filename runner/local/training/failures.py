"""Recognises the failures of a machine that is too small for a job."""

import errno

import torch

from runner.local.training.job import TrainingError

FULL_MEMORY = ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED")


def machine_failure(error: Exception) -> TrainingError | None:
    """Describe an error that means full memory or a full disk; None for any other."""
    if _is_out_of_memory(error):
        message = "There is not enough memory for this model and batch_size; use a smaller one of either."
        return TrainingError("out_of_memory", message, "hyperparameters")
    if _is_disk_full(error):
        return TrainingError("disk_full", "The disk is full; free some space and run the job again.")
    return None


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # The CPU allocator, cuBLAS and NCCL have no exception of their own.
    return isinstance(error, RuntimeError) and any(words in str(error) for words in FULL_MEMORY)


def _is_disk_full(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    # safetensors and torch put the system's message into exceptions of their own.
    return "No space left on device" in str(error)
