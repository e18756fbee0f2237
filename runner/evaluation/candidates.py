"""What is asked the questions of an evaluation: models, and what a fine-tune has to beat."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runner.errors import UsageError
from runner.hints import did_you_mean
from runner.lock.lockfile import LockedJob
from runner.recipe.model import Baseline

Prompting = Literal["plain", "few_shot", "retrieval_prompt"]
TUNED = "tuned"
RETRIEVAL = "retrieval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model at a host and how it is prompted; without a model, the answer of the nearest record."""

    name: str
    provider: str = ""
    model: str | None = None
    prompting: Prompting = "plain"
    tuned_from: str | None = None

    @property
    def shows_training(self) -> bool:
        """Whether its prompts, or its answers, have training examples in them."""
        return self.prompting != "plain" or self.name == RETRIEVAL


def baselines(names: Sequence[Baseline], job: LockedJob) -> list[Candidate]:
    """The baselines of a recipe, asked where its model was trained."""
    found = []
    for name in names:
        if name == RETRIEVAL:
            found.append(Candidate(name=name))
        else:
            prompting: Prompting = "plain" if name == "base_model" else name  # type: ignore[assignment]
            found.append(Candidate(name=name, provider=job.provider, model=job.model, prompting=prompting))
    return found


def checkpoints(job: LockedJob, wanted: str | None) -> list[Candidate]:
    """The checkpoints of a job that were asked for: all, or one by step, ID or model. Raises UsageError."""
    found = {str(item.step): item for item in job.checkpoints}
    if wanted is None:
        return []
    if wanted != "all":
        known = {name: item for name, item in found.items() if wanted in (name, item.id, item.model)}
        if not known:
            raise UsageError(
                f"--checkpoint: job {job.id} has none '{wanted}'. "
                f"{did_you_mean(wanted, found) or 'It has no checkpoints.'}"
            )
        found = known
    return [
        Candidate(name=f"step-{step}", provider=job.provider, model=item.model, tuned_from=job.model)
        for step, item in found.items()
        if item.model != job.fine_tuned_model
    ]
