"""Makes the IDs and model names that the service gives out."""

import hashlib
import re
import secrets
from pathlib import PurePosixPath

ID_DIGITS = 24
# The hosted service writes upload_..., but file-...
UNDERSCORED = frozenset({"batch", "batch_req", "cp", "part", "req", "upload"})


def new_id(prefix: str) -> str:
    """Make a random ID."""
    return _joined(prefix, secrets.token_hex(ID_DIGITS // 2))


def derived_id(prefix: str, key: str) -> str:
    """Make the ID that belongs to a key, the same one on every machine."""
    digest = hashlib.sha256(f"{prefix}\n{key}".encode()).hexdigest()
    return _joined(prefix, digest[:ID_DIGITS])


def id_for(prefix: str, key: str | None) -> str:
    """Make the ID of an object that a client may have given an idempotency key."""
    return derived_id(prefix, key) if key else new_id(prefix)


def derived_seed(job_id: str) -> int:
    """Choose the seed of a job that names none: repeated creation with one key must give one seed."""
    return int(hashlib.sha256(job_id.encode()).hexdigest()[:8], 16) & 0x7FFFFFFF


def fine_tuned_name(base_model: str, suffix: str | None, job_id: str) -> str:
    """Name a job's model as OpenAI does: ft:base:organisation:suffix:id.

    A folder outside the project lends only its last part: names travel to other machines.
    """
    base = PurePosixPath(base_model).name if base_model.startswith("/") else base_model
    # Colons separate the parts, and the name becomes part of a URL.
    part = re.sub(r"[^\w.-]+", "-", suffix) if suffix else ""
    return f"ft:{base}:local:{part}:{job_id.removeprefix('ftjob-')[:8]}"


def checkpoint_name(fine_tuned_model: str, step: int) -> str:
    """Name the model of a checkpoint."""
    return f"{fine_tuned_model}:ckpt-step-{step}"


def _joined(prefix: str, digits: str) -> str:
    return f"{prefix}{'_' if prefix in UNDERSCORED else '-'}{digits}"
