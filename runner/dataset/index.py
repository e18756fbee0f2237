"""The table that later tells which examples changed: one line for each, in their order."""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.examples.read import Example

# In the place of the side: what validation leaves out because it nearly repeats a training example.
LEFT_OUT = "left_out"


def identity_digest(key: str, variant: str) -> bytes:
    """Hash what tells an example from all others of the recipe."""
    return hashlib.sha256(f"{key}\0{variant}".encode()).digest()


def first_number_of(line: str) -> int:
    """The same, of the identity in a line of the table."""
    return int(line[:16], 16)


def identity_of(example: "Example") -> str:
    """The first column of an example's line."""
    return identity_digest(example.key, example.variant)[:16].hex()


def index_line(example: "Example", side: str) -> str:
    """One line of the table."""
    identity = identity_digest(example.key, example.variant)
    return line_of_digests(identity, bytes.fromhex(example.digest), side)


def line_of_digests(identity: bytes, digest: bytes, side: str) -> str:
    """Half of the hashed identity, half of the hashed content, and the side."""
    return f"{identity[:16].hex()} {digest[:16].hex()} {side}\n"
