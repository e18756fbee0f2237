"""The table that later tells which examples changed: one line for each, in their order."""

import hashlib

from runner.dataset.split import Side


def identity_digest(key: str, variant: str) -> bytes:
    """Hash what tells an example from all others of the recipe."""
    return hashlib.sha256(f"{key}\0{variant}".encode()).digest()


def index_line(identity: bytes, digest: bytes, side: Side) -> str:
    """Half of the hashed identity, half of the hashed content, and the side."""
    return f"{identity[:16].hex()} {digest[:16].hex()} {side}\n"
