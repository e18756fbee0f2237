"""How a dataset is built."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.dataset.watched import UNWATCHED, BuildWatch
from runner.examples.bounds import Bounds
from runner.sources.pieces import PIECE_BYTES

if TYPE_CHECKING:
    from runner.dataset.kept_pieces import KeptPieces

# The space that pieces of builds take at most, unless the operator says otherwise.
MAX_KEPT_BYTES = 10 << 30
# More than the one process that merges can keep busy.
MAX_WORKERS = 6


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How a dataset is built, which never changes what comes out; `n_workers` None means: by size.

    `kept` are the pieces of earlier builds, and `max_kept_bytes` the most that they take; `watch` is told
    how far it is. `ray` is the address of a cluster that makes the pieces, which are then not kept.
    """

    n_workers: int | None = None
    piece_bytes: int = PIECE_BYTES
    kept: "KeptPieces | None" = None
    max_kept_bytes: int = MAX_KEPT_BYTES
    watch: BuildWatch = UNWATCHED
    ray: str | None = None
    bounds: Bounds = Bounds()


DEFAULT_EFFORT = Effort()
