"""Decides whether a model may pass."""

from runner.evaluation.comparison import Comparison, compare
from runner.evaluation.past import Past, compare_with_past, not_comparable, unpaired_difference
from runner.evaluation.statistics import Interval
from runner.evaluation.value import Evaluation, GateResult
from runner.recipe.model import Gate

_UNPAIRED = "; unpaired, because the locked answers are not on this machine"


def decide(gate: Gate, evaluation: Evaluation, past: Past | None) -> GateResult:
    """Compare the subject's scores with what the gate asks for.

    It passes only where every answer that it looks at has a score, where the whole interval of the difference
    is above `by`, and where wins and losses are told from chance: what few questions cannot show does not
    pass.
    """
    subject = evaluation.result(evaluation.subject)
    score = subject.scores.get(gate.metric) if subject else None
    if subject is None or score is None or subject.failures:
        failures = subject.failures if subject else 0
        return _refused(gate, f"{failures} answers of {evaluation.subject} failed or have no score")
    if gate.min is not None and score.mean < gate.min:
        reached = f"{gate.metric} of {evaluation.subject} is {score.mean:.3f}"
        return _refused(gate, f"{reached}, below the minimum of {gate.min:g}")
    if gate.better_than is None:
        return _passed(gate, f"{gate.metric} is {score.mean:.3f}, at least {gate.min:g}")
    if gate.better_than == "locked":
        return _against_past(gate, evaluation, past)
    return _against_baseline(gate, evaluation, gate.better_than)


def decide_locked(gate: Gate, past: Past, candidate: str = "tuned") -> GateResult:
    """What the gate says of an evaluation that is locked already, as by `--bless` or before there was a gate.

    Where its answers are not on this machine, only what its means rule out is refused. Nothing is locked that
    `better_than: locked` could be held against.
    """
    subject = past.locked.candidates.get(candidate)
    score = subject.scores.get(gate.metric) if subject else None
    if subject is None or score is None or subject.failures:
        failures = f"{subject.failures if subject else 0} answers of {candidate} failed or have no score"
        return _refused(gate, failures if score else f"{candidate} has no locked score of {gate.metric}")
    if gate.min is not None and score.mean < gate.min:
        reached = f"{gate.metric} of {candidate} is {score.mean:.3f}"
        return _refused(gate, f"{reached}, below the minimum of {gate.min:g}")
    if gate.better_than in (None, "locked"):
        return _passed(gate, f"{gate.metric} is {score.mean:.3f}")
    other = past.locked.candidates.get(gate.better_than)
    if other is None or other.failures or gate.metric not in other.scores:
        return _refused(gate, f"{gate.better_than} has no locked score of {gate.metric} for every question")
    what = f"{candidate} − {gate.better_than}"
    if past.scores is None:
        difference = score.mean - other.scores[gate.metric].mean
        said = f"{gate.metric} of {what} = {difference:+.3f}"
        if difference <= gate.by:
            return _refused(gate, f"{said}, expected above {gate.by:+g}")
        return _passed(gate, said)
    pairs = [
        (scores[candidate][gate.metric], scores[gate.better_than][gate.metric])
        for scores in past.scores.values()
    ]
    paired = compare(gate.metric, candidate, gate.better_than, pairs)
    if paired.difference is None:
        return _refused(gate, f"nothing of {gate.better_than} could be compared")
    return _judged(gate, what, paired.difference, paired)


def _against_baseline(gate: Gate, evaluation: Evaluation, name: str) -> GateResult:
    baseline = evaluation.result(name)
    if baseline is None or baseline.failures:
        failures = baseline.failures if baseline else evaluation.questions.n
        return _refused(gate, f"{failures} answers of {name} failed or have no score")
    found = next(
        (item for item in evaluation.comparisons if (item.other, item.grader) == (name, gate.metric)), None
    )
    if found is None or found.difference is None:
        return _refused(gate, f"nothing of {name} could be compared")
    return _judged(gate, f"{evaluation.subject} − {name}", found.difference, found)


def _against_past(gate: Gate, evaluation: Evaluation, past: Past | None) -> GateResult:
    if past is None:
        return _passed(
            gate, "no evaluation is locked yet; this one becomes what later ones are compared with"
        )
    reason = not_comparable(evaluation.locked(), past.locked)
    if reason is not None:
        return _refused(gate, f"not comparable with the locked evaluation: {reason}. --bless locks this one")
    paired = compare_with_past(evaluation, evaluation.subject, past, gate.metric)
    if paired is not None and paired.difference is not None:
        return _judged(gate, f"{evaluation.subject} − the locked model", paired.difference, paired)
    subject, locked = evaluation.result(evaluation.subject), past.locked.candidates.get("tuned")
    if subject is None or locked is None or gate.metric not in locked.scores:
        return _refused(gate, f"the locked evaluation has no {gate.metric} of a tuned model")
    difference = unpaired_difference(subject.scores[gate.metric], locked.scores[gate.metric])
    return _judged(gate, f"{evaluation.subject} − the locked model", difference)


def _judged(gate: Gate, what: str, difference: Interval, paired: Comparison | None = None) -> GateResult:
    """Judge the difference that `what` names; `paired` has its wins and losses where they are known."""
    note = f", {paired.test} p = {paired.p:.2g}" if paired else _UNPAIRED
    numbers = (
        f"{gate.metric} of {what} = {difference.mean:+.3f} "
        f"[{difference.low:+.3f}, {difference.high:+.3f}] on {difference.n} questions{note}"
    )
    wanted = f"the whole interval above {gate.by:+g}" if gate.by else "the whole interval above 0"
    if difference.low > gate.by >= 0 and paired is not None and not paired.test_tells:
        return _refused(gate, f"{numbers}; {paired.disagreement}")
    if difference.low > gate.by:
        return _passed(gate, numbers)
    but = f"; {paired.disagreement}" if paired is not None and paired.disagreement else ""
    return _refused(gate, f"{numbers}{but}; expected {wanted}")


def _passed(gate: Gate, why: str) -> GateResult:
    return GateResult(passed=True, metric=gate.metric, sentence=f"gate passed: {why}.")


def _refused(gate: Gate, why: str) -> GateResult:
    return GateResult(passed=False, metric=gate.metric, sentence=f"gate failed: {why}.")
