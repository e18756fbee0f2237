"""What stops a run before anything is sent: its data, an ended job, a dead model, the budget."""

from collections.abc import Sequence

from runner.errors import JobFailedError, RunnerError, UsageError
from runner.operator import Operator, today_of
from runner.planning.budget import refuse_over_budget
from runner.planning.stages import all_stages
from runner.planning.value import Planned, WatchJob
from runner.providers.base_models import pinned_name
from runner.providers.checks import base_model, refuse_large_files


def refuse_unfit(planned: Planned, operator: Operator) -> None:
    """Raise what would stop a run before anything is sent: data, an ended job, a dead model, the budget."""
    for stage in planned.stages:
        refuse_unfit_stage(stage, operator)
    if operator.retry:
        _refuse_vain_retry(planned)
    refuse_over_budget([planned], operator.max_cost_usd, allow_unknown_price=operator.allow_unknown_price)


def refuse_unfit_stage(planned: Planned, operator: Operator) -> None:
    """Raise what would stop the run of one recipe before anything is sent, apart from what it costs."""
    if planned.dataset.errors:
        raise RunnerError("\n".join(str(finding) for finding in planned.dataset.errors))
    if planned.refusal:
        raise JobFailedError(planned.refusal)
    if planned.plan.creates_job and not operator.allow_code and _runs_code(planned):
        raise UsageError(
            f"the grader of {planned.loaded.run_name} runs Python from the recipe; --allow-code allows it."
        )
    if planned.plan.creates_job:
        refuse_large_files(planned.dataset, planned.host)
    model = planned.host.model(planned.loaded.root_model)
    today = today_of(operator)
    if planned.plan.creates_job and not operator.allow_network:
        pinned_model(planned, operator)
    if planned.plan.creates_job and model and model.shutdown_date and model.shutdown_date < today:
        raise RunnerError(
            f"{model.name} was shut down on {model.shutdown_date}. Choose another model; "
            f"{planned.loaded.command('port', '--to', 'HOST')} shows what becomes of the recipe elsewhere."
        )


def refuse_all_unfit(plans: Sequence[Planned], operator: Operator) -> None:
    """Raise what would stop the runs before anything is sent: data, ended jobs, a dead model, the budget.

    Of several, one whose job ended does not stop the others.
    """
    if len(plans) == 1:
        refuse_unfit(plans[0], operator)
        return
    ended = {planned.loaded.run_name: planned.refusal for planned in plans if planned.refusal}
    for stage in all_stages(plans):
        if stage.loaded.run_name not in ended:
            refuse_unfit_stage(stage, operator)
    if ended and not any(planned.plan.steps for planned in plans):
        raise failures(plans, [f"{name}: {refusal}" for name, refusal in ended.items()])
    refuse_over_budget(plans, operator.max_cost_usd, allow_unknown_price=operator.allow_unknown_price)


def failures(plans: Sequence[Planned], failed: Sequence[str]) -> JobFailedError:
    """The error of a run of several plans, some of whose jobs did not succeed."""
    return JobFailedError("\n".join([f"{len(failed)} of {len(plans)} jobs did not succeed.", *failed]))


def _refuse_vain_retry(planned: Planned) -> None:
    """Raise UsageError where there is no ended job that `--retry` could repeat."""
    steps, job = planned.plan.steps, planned.locked.job if planned.locked else None
    if job is not None and (not steps or isinstance(steps[0], WatchJob)):
        state = "succeeded" if job.status == "succeeded" else f"is still {job.status}"
        raise UsageError(
            f"job {job.id} {state}; --retry starts a new attempt of a failed or cancelled one. Leave it out."
        )


def _runs_code(planned: Planned) -> bool:
    grader = planned.loaded.recipe.training.grader
    if grader is None:
        return False
    from runner.graders.grade import code_graders
    from runner.graders.parse import parse_grader

    return bool(code_graders(parse_grader(dict(grader))))


def pinned_model(planned: Planned, operator: Operator) -> str:
    """The base model's name for the provider; a hub model stays at the commit that it has in the lock."""
    loaded, job = planned.loaded, planned.locked.job if planned.locked else None
    is_same = job is not None and job.model == loaded.recipe.training.model
    return pinned_name(
        base_model(loaded, planned.host),
        job.model_revision if job is not None and is_same else None,
        operator.environment,
        allow_network=operator.allow_network,
    )
