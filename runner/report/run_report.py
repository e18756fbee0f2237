"""A run as one value: recipe, data, curves, evaluation, price and where everything comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.dataset.value import Finding, InputFile
from runner.evaluation.value import Evaluation
from runner.execution.curves import Point
from runner.execution.history import PastRun
from runner.lock.evaluation import LockedEvaluation
from runner.lock.lockfile import LockedRun
from runner.price import Price
from runner.providers.base import Checkpoint, Job
from runner.report.profile import FileProfile
from runner.review.value import Review


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What is told of a recipe's last run, or of a recipe that was not run yet.

    `job` is what the provider says now; without it `run` tells what is locked. `changes` is what trained
    differently than in the run before, `pending` what the recipe would train differently today. `evaluation`
    is the last one on this machine, of the locked model; `locked_evaluation` is what the lockfile keeps of
    one. `missing` says in sentences what could not be got.
    """

    name: str
    description: str
    profile: str
    file: str
    recipe_text: str
    run: LockedRun | None = None
    job: Job | None = None
    curves: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    checkpoints: tuple[Checkpoint, ...] = ()
    training: FileProfile | None = None
    validation: FileProfile | None = None
    findings: tuple[Finding, ...] = ()
    sources: tuple[InputFile, ...] = ()
    price: Price | None = None
    evaluation: Evaluation | None = None
    locked_evaluation: LockedEvaluation | None = None
    changes: Review | None = None
    pending: Review | None = None
    past: tuple[PastRun, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    missing: tuple[str, ...] = ()
