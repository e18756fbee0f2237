"""Which examples validation leaves out, since they nearly repeat one of the training file."""

from collections.abc import Iterator
from typing import NamedTuple

from runner.dataset.checks.hits import LEFT_OUT_CODE, read_hits
from runner.dataset.value import Dataset


class LeftOut(NamedTuple):
    """Where an example stands that validation leaves out, the training example it repeats, their share."""

    place: str
    near: str
    share: str


def left_out(dataset: Dataset) -> Iterator[LeftOut]:
    """What a dataset's validation file leaves out, unless its recipe ignores FT406."""
    if not dataset.n_near_repeats:
        return
    for hit, origin in read_hits(dataset.hits_path):
        if hit.code == LEFT_OUT_CODE and origin is not None:
            yield LeftOut(f"{origin.file}: row {origin.row}", hit.values["place"], hit.values["share"])
