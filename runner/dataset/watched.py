"""How far the work on a dataset is, told to whoever watches."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    # Every command knows a watch; most build nothing.
    from runner.dataset.batch import Batch
    from runner.dataset.jobs import Job


Doing = Literal["building", "checking", "comparing", "counting tokens", "repairing"]


class BuildWatch(Protocol):
    """Is told of work on a dataset that takes place; one that is there already is not built."""

    def begin(self, total_bytes: int | None, doing: Doing = "building") -> None:
        """Work begins, or begins again; sizes of packed sources say nothing, so their total is None."""

    def advance(self, n_records: int, n_bytes: int) -> None:
        """So many more records and bytes are done; the bytes of files that are not cut are not known."""

    def end(self) -> None:
        """The work ended, well or not."""


class Unwatched:
    """Nobody watches."""

    def begin(self, total_bytes: int | None, doing: Doing = "building") -> None:
        """Say nothing."""

    def advance(self, n_records: int, n_bytes: int) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""


UNWATCHED = Unwatched()


def watched(batches: "Iterable[tuple[Job, Batch]]", watch: BuildWatch) -> "Iterator[tuple[Job, Batch]]":
    """The batches, counted as they pass."""
    for job, batch in batches:
        yield job, batch
        watch.advance(batch.n_rows or batch.n_records, len(job.piece.content) if job.piece else 0)
