"""What one state made of the pieces of its sources, kept in a file for the other state to take up."""

import hashlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from runner.dataset.batch import Batch, read_batch, write_batch
from runner.dataset.jobs import Job
from runner.dataset.workers import Workers


class Pieces:
    """Batches by the content they were made from; only for states that make the same of the same content."""

    def __init__(self, path: Path) -> None:
        self.stream = path.open("w+b")
        self.places: dict[bytes, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.close()

    def batches(self, workers: Workers, jobs: Iterator[Job]) -> Iterator[tuple[Job, Batch]]:
        """The batches of all jobs in order, from the workers where they are not known. Raises Trouble."""
        # Each job that the workers were ahead with, and where its batch lies if it is known.
        ahead: deque[tuple[Job, int | None]] = deque()

        def unknown() -> Iterator[Job]:
            for job in jobs:
                place = self.places.get(_name_of(job))
                ahead.append((job, place))
                if place is None:
                    yield job

        for job, batch in workers.batches(unknown()):
            while ahead[0][0].number != job.number:
                yield from self._known(*ahead.popleft())
            self._keep(job, batch)
            yield job, batch
        for known in ahead:
            yield from self._known(*known)

    def _known(self, job: Job, place: int | None) -> Iterator[tuple[Job, Batch]]:
        if place is None:
            return
        self.stream.seek(place)
        batch = read_batch(self.stream)
        if batch is None:
            raise AssertionError("BUG: a piece without a batch was kept")
        yield job, batch

    def _keep(self, job: Job, batch: Batch) -> None:
        if job.piece is not None:
            self.places[_name_of(job)] = self.stream.seek(0, 2)
            write_batch(self.stream, batch)


def _name_of(job: Job) -> bytes:
    """What tells a piece from all others; a file that is read in one go has a name of its own."""
    piece = job.piece
    place = f"{job.number}\0{job.source}\0{job.file}\0"
    if piece is None:
        return place.encode()
    how = f"{piece.opens}\0{piece.inside}\0{piece.n_probes}\0{len(piece.proof)}\0"
    return hashlib.sha256(b"".join((place.encode(), how.encode(), piece.proof, piece.content))).digest()
