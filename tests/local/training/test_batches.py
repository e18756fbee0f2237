"""Dealing examples into batches: pytest tests/local/training/test_batches.py"""

import pytest

pytest.importorskip("transformers")

from runner.local.training.batches import Dealing, EpochBatches

LENGTHS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]
BLANK = len(LENGTHS)


def deal(epoch: int = 0, **options: int) -> list[list[int]]:
    dealing = Dealing(**{"batch_size": 4, "device_batch_size": 4, "seed": 7, **options})
    batches = EpochBatches(LENGTHS, dealing)
    batches.set_epoch(epoch)
    assert len(batches) == len(list(batches))
    return list(batches)


def test_every_example_comes_once_an_epoch() -> None:
    for epoch in range(3):
        batches = deal(epoch)

        assert [4, 4, 2] == [len(batch) for batch in batches]
        assert list(range(10)) == sorted(index for batch in batches for index in batch)


def test_the_order_follows_from_seed_and_epoch() -> None:
    assert deal(1) == deal(1)
    assert 4 == len({str(deal(epoch, seed=seed)) for epoch in (0, 1) for seed in (1, 2)})


@pytest.mark.parametrize("n_processes", [2, 4])
def test_processes_share_the_steps_of_one(n_processes: int) -> None:
    """A step short of examples is filled with blanks, so that every process has as many batches."""
    whole = deal()
    size = 4 // n_processes
    parts = [deal(device_batch_size=size, rank=rank, n_processes=n_processes) for rank in range(n_processes)]
    steps = [[index for part in step for index in part] for step in zip(*parts, strict=True)]

    assert whole == [[index for index in step if index != BLANK] for step in steps]
    assert {len(part) for part in parts} == {3}


def test_a_share_may_come_in_small_batches() -> None:
    """One by one, for a device that holds no more."""
    one_by_one = deal(device_batch_size=1)

    assert [[index] for batch in deal() for index in batch] == one_by_one
