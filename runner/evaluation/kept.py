"""The last evaluation of a run, whole, on disk for the report: nothing is decided by it."""

from pathlib import Path

from runner.canonical import sha256_of, write_atomically
from runner.evaluation.value import Evaluation


def keep_evaluation(evaluation: Evaluation, folder: Path, run_name: str) -> None:
    """Write an evaluation in place of the run's last one."""
    import msgspec

    write_atomically(_path(folder, run_name), msgspec.json.encode(evaluation))


def kept_evaluation(folder: Path, run_name: str) -> Evaluation | None:
    """The last evaluation of a run on this machine; None without one that this version can read."""
    import msgspec

    try:
        return msgspec.json.decode(_path(folder, run_name).read_bytes(), type=Evaluation)
    except (OSError, msgspec.MsgspecError):
        return None


def _path(folder: Path, run_name: str) -> Path:
    return folder / "last" / f"{sha256_of(run_name)[:16]}.json"
