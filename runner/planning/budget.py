"""What the jobs of a run may cost together; an unknown price is not zero."""

from collections import Counter
from collections.abc import Sequence

from runner.errors import OverBudgetError
from runner.planning.stages import all_stages
from runner.planning.value import Planned
from runner.price import Price, shown_usd

NAMED_JOBS = 3


def total_price(stages: Sequence[Planned]) -> Price:
    """The price of all jobs that these plans create; unknown where one of them is."""
    created = [stage for stage in stages if stage.plan.creates_job]
    prices = [stage.plan.price for stage in created]
    if len(prices) == 1:
        return prices[0]
    known = [price.usd for price in prices if price.usd is not None]
    return Price(
        usd=round(sum(known, 0.0), 2) if len(known) == len(prices) else None,
        arithmetic=_sum_text(created) or "nothing to train",
    )


def refuse_over_budget(
    plans: Sequence[Planned], max_cost_usd: float | None, *, allow_unknown_price: bool
) -> None:
    """Refuse jobs above a limit of their recipes or the operator's, or paid ones without a known price.

    A recipe's limit is on all that its runs train, other recipes among it. Raises OverBudgetError.
    """
    stages = all_stages(plans)
    for stage in stages:
        if stage.plan.creates_job and stage.plan.price.usd is None and not allow_unknown_price:
            near = stage.host.near_model(stage.loaded.root_model)
            raise OverBudgetError(
                f"the price of {stage.loaded.root_model} at {stage.plan.provider} is not known, which is not "
                f"zero. {near}{' If not, add' if near else 'Add'} it to a host entry of your own, or accept "
                "it with --allow-unknown-price."
            )
    for stage in stages:
        runs = [other for other in stages if other.loaded.path == stage.loaded.path]
        _refuse_above("`limits.max_cost_usd`", stage.loaded.recipe.limits.max_cost_usd, all_stages(runs))
    _refuse_above("--max-cost", max_cost_usd, stages)


def _refuse_above(name: str, limit: float | None, stages: Sequence[Planned]) -> None:
    prices = [stage.plan.price for stage in stages if stage.plan.creates_job]
    # A part that is known may be above a limit by itself.
    known = round(sum((price.usd for price in prices if price.usd is not None), 0.0), 2)
    if limit is None or known <= limit:
        return
    least = "at least " if any(price.usd is None for price in prices) else ""
    count = sum(stage.plan.creates_job for stage in stages)
    what = "the job" if count == 1 else f"the {count} jobs"
    raise OverBudgetError(
        f"{what} would cost {least}{shown_usd(known)} ({total_price(stages).arithmetic}), above {name} of "
        f"${limit:g}. "
        "Nothing was sent."
    )


def _sum_text(created: Sequence[Planned]) -> str:
    """The sum by name, or for many jobs by price."""
    if len(created) <= NAMED_JOBS:
        return " + ".join(f"{_usd(stage.plan.price)} for {stage.loaded.run_name}" for stage in created)
    counts = Counter(_usd(stage.plan.price) for stage in created)
    return " + ".join(f"{count} × {price}" for price, count in counts.items())


def _usd(price: Price) -> str:
    return "an unknown price" if price.usd is None else price.amount
