"""Compares the result of a repeated job with the one that was locked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from runner.errors import ProviderError
from runner.lock.lockfile import LockedJob
from runner.providers.base import Job, Provider

Verdict = Literal["same", "differs", "unknown"]
# The latest events of a job; the last metrics are among them.
SEARCHED_EVENTS = 100
LOSSES = ("train_loss", "valid_loss", "full_valid_loss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One value of both results; where one of them is not known, they cannot be compared."""

    name: str
    before: Any
    after: Any

    @property
    def verdict(self) -> Verdict:
        """Whether the values are equal, as far as both are known."""
        if self.before is None or self.after is None:
            return "unknown"
        return "same" if self.before == self.after else "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A repeated job beside the one it repeats."""

    repeated: str
    job: str
    attempt: int
    values: tuple[Compared, ...]

    @property
    def differences(self) -> tuple[Compared, ...]:
        """The values that differ."""
        return tuple(value for value in self.values if value.verdict == "differs")

    @property
    def has_same_weights(self) -> bool:
        """Whether nothing differs and the weights are known to be equal."""
        weights = [value for value in self.values if value.name.startswith("weights")]
        return not self.differences and any(value.verdict == "same" for value in weights)


def compare_results(
    before: LockedJob, after: LockedJob, job: Job, losses: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> Comparison:
    """Status, resolved values, tokens, final losses and weights; `losses` are the old and the new ones."""
    return Comparison(
        repeated=before.id,
        job=after.id,
        attempt=after.attempt,
        values=tuple(_values(before, after, job, losses)),
    )


def final_losses(provider: Provider, job_id: str) -> dict[str, Any]:
    """The last losses that a job reported; empty where its provider does not tell them any more."""
    try:
        events = provider.list_events(job_id, SEARCHED_EVENTS)
    except ProviderError:
        return {}
    reported = [event.data for event in events if event.data.get(LOSSES[0]) is not None]
    return {name: reported[-1][name] for name in LOSSES if name in reported[-1]} if reported else {}


def _values(
    before: LockedJob, after: LockedJob, job: Job, losses: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> Iterator[Compared]:
    yield Compared(name="status", before=before.status, after=after.status)
    for name in dict.fromkeys([*before.resolved, *after.resolved]):
        yield Compared(name=name, before=before.resolved.get(name), after=after.resolved.get(name))
    yield Compared(name="trained tokens", before=before.trained_tokens, after=after.trained_tokens)
    for name in dict.fromkeys([*losses[0], *losses[1]]):
        yield Compared(name=f"final {name}", before=losses[0].get(name), after=losses[1].get(name))
    if job.weights_platform is None:
        yield Compared(name="weights", before=None, after=None)
    else:
        old = before.weights.get(job.weights_platform)
        yield Compared(name=f"weights of {job.weights_platform}", before=old, after=job.weights_sha256)
