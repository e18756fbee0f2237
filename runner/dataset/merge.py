"""Put the batches of several processes together in order, and let the checks compare their examples."""

from collections.abc import Iterable

from runner.dataset.batch import Batch
from runner.dataset.checks import Checker
from runner.dataset.jobs import Job
from runner.dataset.output import Output
from runner.dataset.repeated import RepeatedNumbers
from runner.dataset.workers import RepeatedKeys


def merge_batches(batches: Iterable[tuple[Job, Batch]], output: Output, checker: Checker) -> None:
    """Write batches and tell the checker what it would have found. Raises RepeatedKeys."""
    identities, places = RepeatedNumbers(), _Places()
    training, validation = output.sides["training"], output.sides["validation"]
    checker.listener = output.write_hit
    for job, batch in batches:
        rows_before = places.go_on(job, batch.n_rows)
        training.add(batch.training, batch.n_examples[0], batch.n_tokens[0])
        validation.add(batch.validation, batch.n_examples[1], batch.n_tokens[1])
        output.index.write(batch.index)
        output.n_records += batch.n_records
        batch.examined.file, batch.examined.rows_before = job.file, rows_before
        checker.collect_all(batch.examined)
        identities.add(batch.examined.identities)
    if identities.are_there():
        raise RepeatedKeys


class _Places:
    """Where the pieces of a source begin."""

    def __init__(self) -> None:
        self._file: tuple[int, str] = (-1, "")
        self._rows = 0

    def go_on(self, job: Job, n_rows: int) -> int:
        """Go on to a job of so many rows; tells how many rows of its file came before."""
        if (job.source, job.file) != self._file:
            self._file, self._rows = (job.source, job.file), 0
        before = self._rows
        self._rows += n_rows
        return before
