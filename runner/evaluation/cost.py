"""What asking costs, and when training pays for itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from runner.evaluation.ask import Answer
from runner.evaluation.candidates import Candidate
from runner.providers.hosts import Host

MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """US dollars per million tokens read and written."""

    input_usd: float
    output_usd: float

    def usd(self, prompt_tokens: float, completion_tokens: float) -> float:
        """The price of some tokens."""
        return (prompt_tokens * self.input_usd + completion_tokens * self.output_usd) / MILLION


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """When a fine-tune has paid for itself against a baseline with a longer prompt.

    `requests` is None where a request to the tuned model is not the cheaper one; `saved_usd` is for `volume`
    requests, the training paid.
    """

    baseline: str
    training_usd: float
    tuned_request_usd: float
    baseline_request_usd: float
    requests: int | None
    volume: int
    saved_usd: float


def rate_of(candidate: Candidate, host: Host) -> Rate | None:
    """The price of asking a candidate; None where no table has it, which is not zero."""
    if not host.paid:
        return Rate(input_usd=0.0, output_usd=0.0)
    return _rate(candidate.tuned_from or candidate.model or "", host, is_tuned=bool(candidate.tuned_from))


def rate_of_model(model: str, host: Host) -> Rate | None:
    """The price of asking a model by its name; None where no table has it, which is not zero."""
    if not host.paid:
        return Rate(input_usd=0.0, output_usd=0.0)
    return _rate(model, host, is_tuned=False)


def judging_usd(judged: Sequence[tuple[str, Answer]], host: Host | None) -> float | None:
    """What models that judge cost, by model and reply; None where price or tokens are unknown."""
    if host is None or not host.paid:
        return 0.0
    parts = [answers_usd(_rate(model, host, is_tuned=False), [reply]) for model, reply in judged]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _rate(named: str, host: Host, *, is_tuned: bool) -> Rate | None:
    # A tuned model is called ft:<base>:<organisation>:<suffix>:<id>.
    base = named.split(":")[1] if named.startswith("ft:") and named.count(":") else named
    model = host.model(base)
    if model is None:
        return None
    tuned = is_tuned or named.startswith("ft:")
    read = model.tuned_input_usd_per_million_tokens if tuned else model.input_usd_per_million_tokens
    written = model.tuned_output_usd_per_million_tokens if tuned else model.output_usd_per_million_tokens
    return None if read is None or written is None else Rate(input_usd=read, output_usd=written)


def answers_usd(rate: Rate | None, answers: Sequence[Answer]) -> float | None:
    """What answers cost, those from the cache too; None where price or tokens are unknown."""
    tokens = [(answer.prompt_tokens, answer.completion_tokens) for answer in answers if not answer.failure]
    known = [(read, written) for read, written in tokens if read is not None and written is not None]
    if rate is None or len(known) < len(tokens):
        return None
    return rate.usd(sum(read for read, _ in known), sum(written for _, written in known))


def break_even(
    baseline: str, training_usd: float, tuned_usd: float, baseline_usd: float, volume: int
) -> BreakEven:
    """Weigh the price of training against cheaper requests; all prices in US dollars, requests one by one."""
    gain = baseline_usd - tuned_usd
    return BreakEven(
        baseline=baseline,
        training_usd=training_usd,
        tuned_request_usd=tuned_usd,
        baseline_request_usd=baseline_usd,
        requests=math.ceil(training_usd / gain) if gain > 0 else None,
        volume=volume,
        saved_usd=gain * volume - training_usd,
    )
