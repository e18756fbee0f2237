"""What aliases stand for, as text for a terminal."""

from collections.abc import Sequence

from runner.aliases import Promotion
from runner.display import neutralise
from runner.lock.evaluation import LockedEvaluation
from runner.report.terminal import table_text


def promotion_text(promotion: Promotion) -> str:
    """One entry with its evidence."""
    lines = [
        f"{promotion.alias} → {promotion.model} at {promotion.provider}",
        f"  made by     {promotion.job} of {promotion.recipe} ({promotion.run})",
        f"  trained on  {promotion.training_file[:16]}",
        f"  lockfile    {f'committed in {promotion.commit[:10]}' if promotion.commit else 'not committed'}",
        *(f"  evaluation  {line}" for line in _evaluation_lines(promotion.evaluation)),
    ]
    return neutralise("\n".join(lines))


def served_text(at: str, promotions: Sequence[Promotion], width: int | None = None) -> str:
    """What each alias stood for at a time."""
    if not promotions:
        return f"no alias stood for a model on {at}"
    rows = [
        (each.alias, each.model, each.provider, each.at, each.action, each.recipe, each.commit or "")
        for each in promotions
    ]
    shown = [(*row[:6], row[6][:10]) for row in rows]
    header = ("ALIAS", "MODEL", "PROVIDER", "SINCE", "BY", "RECIPE", "COMMIT")
    return table_text(header, shown, width=width)


def _evaluation_lines(evaluation: LockedEvaluation | None) -> list[str]:
    if evaluation is None:
        return ["none of this model"]
    return [
        f"{name}: {grader} {score.mean:.3f} [{score.low:.3f}, {score.high:.3f}], {score.n} answers"
        for name, candidate in sorted(evaluation.candidates.items(), key=lambda item: item[0] != "tuned")
        for grader, score in sorted(candidate.scores.items())
    ]
