"""Which side of the split a record is on: a function of its own identity and the seed, of nothing else."""

import hashlib
from typing import Literal

from runner.canonical import first_number
from runner.recipe.model import Split

Side = Literal["training", "validation"]


def side_of(identity: str, split: Split) -> Side:
    """Place a record by its key, or by its group where the recipe groups records.

    The first 64 bits of sha256(seed, identity), read as a fraction of 2^64, are compared with the share:
    adding or editing records never moves others.
    """
    if split.validation <= 0:
        return "training"
    digest = hashlib.sha256(f"{split.seed}\0{identity}".encode()).digest()
    fraction = first_number(digest) / 2**64
    return "validation" if fraction < split.validation else "training"
