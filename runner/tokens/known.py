"""Tokens that a lockfile knows already."""

from collections.abc import Sequence
from dataclasses import replace

from runner.dataset.value import Dataset, DatasetFile


def with_known_tokens(dataset: Dataset, known: Sequence[DatasetFile | None]) -> Dataset:
    """The dataset with the tokens that a lockfile has of the same bytes, where they are better than its own.

    So a machine without the counter neither changes the lockfile nor plans with worse numbers.
    """
    exact = {file.sha256: file for file in known if file is not None and file.tokens_exact}

    def best(file: DatasetFile) -> DatasetFile:
        return file if file.tokens_exact else exact.get(file.sha256, file)

    validation = dataset.validation_file
    return replace(
        dataset,
        training_file=best(dataset.training_file),
        validation_file=best(validation) if validation else None,
    )
