"""Deals the training examples into batches: the same ones for any number of processes."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import torch
from torch.utils.data import DataLoader, Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealing:
    """How an epoch is dealt: examples of a step, of a batch on one device, and which process this is."""

    batch_size: int
    device_batch_size: int
    seed: int
    rank: int = 0
    n_processes: int = 1


class EpochBatches(Sampler[list[int]]):
    """One process's batches of each epoch, as indices; examples of like length share a step.

    The order follows from the seed and the epoch alone. In a last short step, the index `len(lengths)` stands
    for a blank that nothing is learnt from, so that every process has as many batches.
    """

    def __init__(self, lengths: Sequence[int], dealing: Dealing) -> None:
        self._lengths = list(lengths)
        self._dealing = dealing
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, from 0, that is dealt next."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Count this process's batches of an epoch."""
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[list[int]]:
        """Deal an epoch."""
        dealing = self._dealing
        digest = hashlib.sha256(f"{dealing.seed}/{self._epoch}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:7]))
        order = get_length_grouped_indices(self._lengths, dealing.batch_size, generator=generator)
        for step in _pieces(order, dealing.batch_size):
            yield from _pieces(self._share(step), dealing.device_batch_size)

    def _share(self, step: list[int]) -> list[int]:
        n_processes = self._dealing.n_processes
        size = ceil(len(step) / n_processes)
        blanks = [len(self._lengths)] * (size * n_processes - len(step))
        return (step + blanks)[self._dealing.rank * size :][:size]


def _pieces(indices: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(indices), size):
        yield indices[start : start + size]


class EpochLoader(DataLoader[Any]):
    """A loader that tells its batches which epoch it is."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that is loaded next."""
        batches = self.batch_sampler
        if isinstance(batches, EpochBatches):
            batches.set_epoch(epoch)
