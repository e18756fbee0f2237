"""Put the batches of several processes together in order, and compare their examples with each other."""

from collections.abc import Iterable

from runner.dataset.batch import ROW_BITS, VARIANT_BITS, Batch
from runner.dataset.checks import Checker
from runner.dataset.jobs import Job
from runner.dataset.output import Output
from runner.dataset.repeats import Repeats
from runner.dataset.workers import Trouble
from runner.issues import Place


def merge_batches(batches: Iterable[tuple[Job, Batch]], output: Output, checker: Checker) -> None:
    """Write batches and tell the checker what it would have found. Raises Trouble for repeated keys."""
    repeats, places = Repeats(), _Places()
    training, validation = output.sides["training"], output.sides["validation"]
    for job, batch in batches:
        places.add(job, batch.n_rows)
        training.add(batch.training, batch.n_examples[0], batch.n_tokens[0])
        validation.add(batch.validation, batch.n_examples[1], batch.n_tokens[1])
        output.index.write(batch.index)
        output.n_records += batch.n_records
        for number, code, values in batch.problems:
            checker.report(code, places.of(number), **values)
        repeats.add(batch)
    if repeats.has_repeated_key():
        raise Trouble
    for code, count, numbers in repeats.found():
        for number in numbers:
            checker.report(code, places.of(number))
        for _ in range(count - len(numbers)):
            checker.report(code, None)


class _Places:
    """Where the pieces of the sources begin."""

    def __init__(self) -> None:
        self._starts: dict[int, tuple[str, int]] = {}
        self._file: tuple[int, str] = (-1, "")
        self._rows = 0

    def add(self, job: Job, n_rows: int) -> None:
        """Go on to a job of so many rows."""
        if (job.source, job.file) != self._file:
            self._file, self._rows = (job.source, job.file), 0
        self._starts.setdefault(job.number, (job.file, self._rows))
        self._rows += n_rows

    def of(self, number: int) -> Place:
        """Where an example stands."""
        row = number >> VARIANT_BITS & ((1 << ROW_BITS) - 1)
        file, rows_before = self._starts[number >> VARIANT_BITS >> ROW_BITS]
        return Place(file=file, row=rows_before + row)
