"""What all ways to build a dataset share: the value of a field, and the side of the split."""

import hashlib
import re
from typing import Any

Record = dict[str, Any]


def value_of(value: Any, spec: dict[str, Any]) -> Any:
    """What a field makes of what its path leads to."""
    if value is None:
        value = spec.get("default")
    if "join" in spec and isinstance(value, list):
        value = spec["join"].join(value)
    if spec.get("trim"):
        value = value.strip()
    return re.sub(r"\s+", " ", value) if spec.get("collapse_space") else value


def side_of(identity: str, split: dict[str, Any]) -> str:
    """As runner.dataset.split, by hand."""
    digest = hashlib.sha256(f"{split['seed']}\0{identity}".encode()).digest()
    fraction = int.from_bytes(digest[:8], "big") / 2**64
    return "validation" if fraction < split["validation"] else "train"
