"""The lockfile: what the last run of a recipe used and made, as a value that is read and written whole."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from runner import __version__
from runner.canonical import write_atomically
from runner.dataset.value import DatasetFile, InputFile
from runner.errors import StaleLockError
from runner.lock.evaluation import LockedEvaluation, evaluation_value, parse_evaluation
from runner.project import find_project
from runner.recipe.yaml import parse_yaml
from runner.recipe.yaml_text import yaml_text
from runner.schema import violations

LOCKFILE_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class LockedFile:
    """A dataset file and the ID it was uploaded under, once it was.

    `filename` is its name at the provider where that is not the one that the runner gives.
    """

    file: DatasetFile
    file_id: str | None = None
    filename: str | None = None


@dataclass(frozen=True, kw_only=True)
class LockedCheckpoint:
    """A model kept from an epoch's end."""

    id: str
    model: str
    step: int


@dataclass(frozen=True, kw_only=True)
class LockedBase:
    """The recipe whose result a job trained further, and the digest of the job that made it."""

    recipe: str
    profile: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class LockedJob:
    """A fine-tuning job: what was asked for, and what came of it.

    `model` is the name that was sent; with a `base`, that of the model another recipe made.
    """

    id: str
    provider: str
    model: str
    method: str
    digest: str
    attempt: int
    seed: int
    status: str
    requested: Mapping[str, Any]
    resolved: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    suffix: str | None = None
    grader_sha256: str | None = None
    model_sha256: str | None = None
    model_revision: str | None = None
    base: LockedBase | None = None
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    checkpoints: tuple[LockedCheckpoint, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LockedRun:
    """One profile's last run; `sections` hashes the parts of the recipe that shape the dataset."""

    recipe_sha256: str
    sections: Mapping[str, str]
    sources: tuple[InputFile, ...]
    templates: tuple[InputFile, ...]
    n_records: int
    index: str
    training_file: LockedFile
    validation_file: LockedFile | None = None
    job: LockedJob | None = None
    evaluation: LockedEvaluation | None = None
    n_near_repeats: int = 0

    @property
    def files(self) -> tuple[DatasetFile, ...]:
        """The dataset's files: training, then validation."""
        return tuple(item.file for item in (self.training_file, self.validation_file) if item)


@dataclass(frozen=True, kw_only=True)
class Lockfile:
    """All profiles' last runs."""

    runs: Mapping[str, LockedRun] = field(default_factory=dict)

    def with_run(self, profile: str, run: LockedRun) -> "Lockfile":
        """The lockfile with one profile's run replaced."""
        return replace(self, runs={**self.runs, profile: run})


def read_lockfile(path: Path) -> Lockfile:
    """Read a lockfile; one that is not there is empty. Raises StaleLockError for one that cannot be used."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Lockfile()
    return parse_lockfile(content, find_project(path).name_of(path))


def parse_lockfile(content: bytes, name: str) -> Lockfile:
    """The lockfile that a text is; `name` is for messages. Raises StaleLockError for an unusable one."""
    if content.startswith(b"<<<<<<< ") or b"\n<<<<<<< " in content:
        raise StaleLockError(
            f"{name}: found merge markers. Keep one side (`git checkout --ours` or `--theirs`) and run "
            "`finetune plan` to see what it leaves to do."
        )
    document, issues = parse_yaml(content, name)
    if document is None or issues:
        problems = "\n".join(str(issue) for issue in issues)
        raise StaleLockError(f"{problems}\n{name}: not a lockfile. Restore it with git.")
    _check(document.value, name)
    return Lockfile(runs={name: parse_run(run) for name, run in document.value["runs"].items()})


def write_lockfile(path: Path, lockfile: Lockfile) -> bool:
    """Write a lockfile if it differs from what is there; returns whether it did."""
    content = lockfile_bytes(lockfile)
    if path.exists() and path.read_bytes() == content:
        return False
    write_atomically(path, content)
    return True


def lockfile_bytes(lockfile: Lockfile) -> bytes:
    """The lockfile's text: sorted, one key per line."""
    value = {
        "lockfile_version": LOCKFILE_VERSION,
        "created_by": f"finetune-runner {__version__}",
        "runs": {profile: run_value(run) for profile, run in lockfile.runs.items()},
    }
    text = yaml_text(value, sort_keys=True)
    return f"# Written by `finetune run`. Commit it beside the recipe; do not edit it.\n{text}".encode()


def entry_bytes(profile: str, run: LockedRun) -> bytes:
    """The lines of one run in a lockfile's text, which stand there in the order of the profiles' names."""
    _, _, entry = lockfile_bytes(Lockfile(runs={profile: run})).partition(b"\nruns:\n")
    return entry


def _check(value: Any, name: str) -> None:
    version = value.get("lockfile_version") if isinstance(value, dict) else None
    if isinstance(version, int) and version > LOCKFILE_VERSION:
        raise StaleLockError(
            f"{name}: found lockfile_version {version}, this version of finetune-runner reads "
            f"{LOCKFILE_VERSION}. Upgrade finetune-runner."
        )
    found = violations("lockfile", value)
    if found:
        problems = "\n".join(
            f"{name}: {'.'.join(map(str, item.path)) or 'the file'}: {item.message}" for item in found[:5]
        )
        raise StaleLockError(f"{problems}\n{name}: not a usable lockfile. Restore it with git.")


def parse_run(value: Mapping[str, Any]) -> LockedRun:
    """The run that stands as `value` in a lockfile. Raises KeyError, TypeError for what no lockfile has."""
    dataset = value["dataset"]
    validation = dataset.get("validation_file")
    return LockedRun(
        recipe_sha256=value["recipe"]["sha256"],
        sections=value["recipe"]["sections"],
        sources=_input_files(value["sources"]),
        templates=_input_files(value["templates"]),
        n_records=dataset["records"],
        n_near_repeats=dataset.get("near_repeats", 0),
        index=dataset.get("index", ""),
        training_file=_locked_file(dataset["training_file"]),
        validation_file=_locked_file(validation) if validation else None,
        job=parse_job(value["job"]) if value["job"] else None,
        evaluation=parse_evaluation(value["evaluation"]) if "evaluation" in value else None,
    )


def _input_files(value: dict[str, Any]) -> tuple[InputFile, ...]:
    return tuple(
        InputFile(name=name, sha256=item["sha256"], size_bytes=item["bytes"]) for name, item in value.items()
    )


def _locked_file(value: dict[str, Any]) -> LockedFile:
    file = DatasetFile(
        sha256=value["sha256"],
        size_bytes=value["bytes"],
        n_examples=value["examples"],
        n_tokens=value["tokens"],
        tokens_exact=value["tokens_exact"],
        token_counter=value.get("token_counter", ""),
    )
    return LockedFile(file=file, file_id=value.get("file_id"), filename=value.get("filename"))


def parse_job(value: Mapping[str, Any]) -> LockedJob:
    """The job that stands as `value` in a lockfile. Raises KeyError, TypeError for what no lockfile has."""
    parsed = ("base", "hyperparameters", "checkpoints")
    rest = {name: item for name, item in value.items() if name not in parsed}
    return LockedJob(
        base=LockedBase(**value["base"]) if "base" in value else None,
        requested=value["hyperparameters"]["requested"],
        resolved=value["hyperparameters"]["resolved"],
        checkpoints=tuple(LockedCheckpoint(**item) for item in value.get("checkpoints", [])),
        **rest,
    )


def run_value(run: LockedRun) -> dict[str, Any]:
    """A run as it stands in the lockfile."""
    dataset = {
        "index": run.index or None,
        "near_repeats": run.n_near_repeats or None,
        "records": run.n_records,
        "training_file": _file_value(run.training_file),
    }
    if run.validation_file:
        dataset["validation_file"] = _file_value(run.validation_file)
    evaluated = {"evaluation": evaluation_value(run.evaluation)} if run.evaluation else {}
    return {
        **evaluated,
        "dataset": _without_none(dataset),
        "job": _job_value(run.job) if run.job else None,
        "recipe": {"sha256": run.recipe_sha256, "sections": dict(run.sections)},
        "sources": _input_values(run.sources),
        "templates": _input_values(run.templates),
    }


def _input_values(files: tuple[InputFile, ...]) -> dict[str, Any]:
    return {file.name: {"bytes": file.size_bytes, "sha256": file.sha256} for file in files}


def _file_value(locked: LockedFile) -> dict[str, Any]:
    file = locked.file
    value = {
        "bytes": file.size_bytes,
        "examples": file.n_examples,
        "file_id": locked.file_id,
        "filename": locked.filename,
        "sha256": file.sha256,
        "token_counter": file.token_counter or None,
        "tokens": file.n_tokens,
        "tokens_exact": file.tokens_exact,
    }
    return _without_none(value)


def _job_value(job: LockedJob) -> dict[str, Any]:
    checkpoints = [{"id": item.id, "model": item.model, "step": item.step} for item in job.checkpoints]
    return _without_none(
        {
            "attempt": job.attempt,
            "base": asdict(job.base) if job.base else None,
            "checkpoints": checkpoints or None,
            "digest": job.digest,
            "fine_tuned_model": job.fine_tuned_model,
            "grader_sha256": job.grader_sha256,
            "hyperparameters": {"requested": dict(job.requested), "resolved": dict(job.resolved)},
            "id": job.id,
            "method": job.method,
            "model": job.model,
            "model_revision": job.model_revision,
            "model_sha256": job.model_sha256,
            "options": dict(job.options) or None,
            "provider": job.provider,
            "seed": job.seed,
            "status": job.status,
            "suffix": job.suffix,
            "trained_tokens": job.trained_tokens,
            "weights": dict(job.weights) or None,
        }
    )


def _without_none(value: dict[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in value.items() if item is not None}
