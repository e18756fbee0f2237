"""A plan as a value: the steps of a run, each with its reason."""

from dataclasses import dataclass
from typing import Literal

from runner.dataset.value import Dataset, DatasetFile
from runner.lock.lockfile import LockedJob, LockedRun
from runner.price import Price
from runner.providers.hosts import Host
from runner.recipe.load import LoadedRecipe

FileRole = Literal["training_file", "validation_file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Send a dataset file."""

    role: FileRole
    file: DatasetFile
    filename: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReuseFile:
    """Use a file that was uploaded before, if it is still there."""

    role: FileRole
    file: DatasetFile
    filename: str
    file_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateJob:
    """Start a fine-tuning job; `key` is the digest of its content and attempt.

    `repeats` means that this very job succeeded before and its model is not on this machine.
    """

    key: str
    attempt: int
    reason: str
    repeats: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchJob:
    """Follow a job that was started before."""

    job_id: str
    reason: str


Step = Upload | ReuseFile | CreateJob | WatchJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps of a run. `blocked` says why there are none although the work is not done."""

    provider: str
    model: str
    digest: str
    attempt: int
    steps: tuple[Step, ...]
    price: Price
    notices: tuple[str, ...] = ()
    blocked: str | None = None
    result: LockedJob | None = None

    @property
    def creates_job(self) -> bool:
        """Whether the plan starts a job, and so may cost money."""
        return any(isinstance(step, CreateJob) for step in self.steps)

    @property
    def repeats_job(self) -> bool:
        """Whether the plan trains again what the lockfile already has as a success."""
        return any(isinstance(step, CreateJob) and step.repeats for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseJob:
    """The job whose result is trained further; `change` says why it is another one than before."""

    digest: str
    change: str | None = None


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A recipe with everything that was derived from it, ready to run; `locked` is the last run.

    `base` is the plan of the recipe whose result it trains further.
    """

    loaded: LoadedRecipe
    host: Host
    dataset: Dataset
    locked: LockedRun | None
    plan: Plan
    model_sha256: str | None = None
    changed_examples: str | None = None
    base: "Planned | None" = None

    @property
    def refusal(self) -> str | None:
        """Why there is nothing to do although the work is not done, and what to type; None where there is."""
        if self.plan.blocked is None:
            return None
        events, retry = self.loaded.command("events"), self.loaded.command("run", "--retry")
        return f"{self.plan.blocked} {events} says why; {retry} starts a new attempt."

    @property
    def stages(self) -> "tuple[Planned, ...]":
        """What a run goes through, in order: where a job is created, the recipes it builds on come first."""
        needed = self.base.stages if self.base and self.plan.creates_job else ()
        return (*needed, self)
