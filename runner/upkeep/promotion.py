"""Lets an alias stand for another model, and for the one before again."""

from datetime import UTC, date, datetime, time
from pathlib import Path

from runner.aliases import ALIAS, Promotion, aliases_path, append_alias, in_force, read_aliases, stood_for
from runner.display import shown
from runner.errors import GateError, RunnerError, UsageError
from runner.evaluation.gate import decide_locked
from runner.evaluation.past import read_past
from runner.execution.journal import serialised
from runner.hints import command, did_you_mean
from runner.lock.evaluation import LockedEvaluation
from runner.lock.lockfile import LockedJob, LockedRun, read_lockfile
from runner.operator import Operator
from runner.project import Project
from runner.providers.hosts import find_host
from runner.recipe.load import LoadedRecipe
from runner.review.git import commit_with
from runner.running.following import no_job

RECIPE_ENDS = (".yaml", ".yml")
AT = "%Y-%m-%dT%H:%M:%SZ"


def refuse_name(alias: str, recipe: Path | None = None) -> None:
    """Raise UsageError for what can be no alias, before a recipe is looked for."""
    if alias.endswith(RECIPE_ENDS):
        meant = str(recipe) if recipe and ALIAS.fullmatch(str(recipe)) else "production"
        raise UsageError(
            f"found the recipe {shown(alias)} in the place of the alias, which comes first: "
            f"{command('promote', meant, alias)}."
        )
    if ALIAS.fullmatch(alias) is None:
        raise UsageError(
            f"found the alias {shown(alias)}, expected up to 63 of a-z, 0-9, - and _, such as `production`."
        )


def promote(alias: str, loaded: LoadedRecipe, operator: Operator, reason: str | None) -> Promotion | None:
    """Let an alias stand for a recipe's locked model; None where it does already.

    Asks no provider. Raises UsageError for a name that is none; RunnerError where there is no tuned model;
    GateError where the recipe has a gate and the lockfile no evaluation of this model that passed it.
    """
    refuse_name(alias)
    if find_host("local", operator.user_hosts).model(alias) is not None:
        raise UsageError(f"{alias} is the name of a model; give the alias another one.")
    run, job = _trained(loaded)
    evaluation = _evaluation_of(run, job)
    _hold_gate(loaded, job, evaluation)
    project = loaded.project
    path = aliases_path(project)
    with serialised(project.make_state() / "locks" / "aliases.lock"):
        promotions = read_aliases(path)
        current = in_force(promotions).get(alias)
        if current is not None and (current.model, current.provider) == (job.fine_tuned_model, job.provider):
            return None
        new = Promotion(
            alias=alias,
            action="promote",
            at=_now(operator),
            model=job.fine_tuned_model or "",
            provider=job.provider,
            recipe=project.name_of(loaded.path),
            run=loaded.run_key,
            job=job.id,
            training_file=run.training_file.file.sha256,
            after=promotions[-1].link if promotions else None,
            commit=commit_with(
                loaded.folder, loaded.lock_path.name, loaded.lock_path.read_bytes(), operator.environment
            ),
            reason=reason,
            evaluation=evaluation,
        )
        append_alias(path, promotions, new)
    return new


def rollback(alias: str, project: Project, operator: Operator, reason: str | None) -> Promotion:
    """Let an alias stand for the model that it stood for before; repeated, for the one before that.

    Raises RunnerError where there is none.
    """
    path = aliases_path(project)
    with serialised(project.make_state() / "locks" / "aliases.lock"):
        promotions = read_aliases(path)
        stack = stood_for(promotions, alias)
        if not stack:
            raise UsageError(unknown_alias(alias, promotions))
        if len(stack) == 1:
            raise RunnerError(f"{alias} stood for nothing before {stack[0].model}. Promote another model.")
        earlier = stack[-2]
        new = Promotion(
            alias=alias,
            action="rollback",
            at=_now(operator),
            model=earlier.model,
            provider=earlier.provider,
            recipe=earlier.recipe,
            run=earlier.run,
            job=earlier.job,
            training_file=earlier.training_file,
            after=promotions[-1].link,
            commit=earlier.commit,
            reason=reason,
            evaluation=earlier.evaluation,
        )
        append_alias(path, promotions, new)
    return new


def served_on(project: Project, text: str, operator: Operator) -> tuple[str, list[Promotion]]:
    """What each alias stood for at a time in UTC, and that time.

    The text is a day, which means its last second, a time such as 2026-11-01T12:00:00Z, or `now`. Raises
    UsageError.
    """
    at = _now(operator) if text == "now" else _end_of(text)
    promotions = in_force(read_aliases(aliases_path(project)), at)
    return at, [promotions[alias] for alias in sorted(promotions)]


def unknown_alias(alias: str, promotions: tuple[Promotion, ...]) -> str:
    """That there is no such alias, with near ones."""
    near = did_you_mean(alias, sorted({each.alias for each in promotions}))
    what = ": expected an alias, not a recipe" if alias.endswith(RECIPE_ENDS) else ""
    return f"found no alias {shown(alias)}{what}. {near or '`finetune promote` makes one.'}"


def _hold_gate(loaded: LoadedRecipe, job: LockedJob, evaluation: LockedEvaluation | None) -> None:
    """Raise GateError where the recipe has a gate that the locked evaluation is not there for, or fails."""
    gate = loaded.recipe.evaluation.gate if loaded.recipe.evaluation else None
    if gate is None:
        return
    if evaluation is None:
        raise GateError(
            f"{loaded.run_name} has a gate, and the lockfile no evaluation of {job.fine_tuned_model} that "
            f"passed it. {loaded.command('eval')} makes one."
        )
    past = read_past(evaluation, loaded.project.state / "evaluation" / "answers")
    found = decide_locked(gate, past)
    if not found.passed:
        raise GateError(f"{loaded.run_name}: by its locked evaluation, {found.sentence} Nothing was written.")


def _trained(loaded: LoadedRecipe) -> tuple[LockedRun, LockedJob]:
    run = read_lockfile(loaded.lock_path).runs.get(loaded.run_key)
    if run is None or run.job is None:
        raise no_job(loaded)
    if run.job.status != "succeeded" or run.job.fine_tuned_model is None:
        raise RunnerError(
            f"job {run.job.id} is {run.job.status} and has no tuned model. {loaded.command('watch')} follows "
            f"it, {loaded.command('refresh')} asks once."
        )
    return run, run.job


def _evaluation_of(run: LockedRun, job: LockedJob) -> LockedEvaluation | None:
    """The locked evaluation, where it is one of this very model."""
    asked = run.evaluation.candidates.get("tuned") if run.evaluation else None
    return run.evaluation if asked is not None and asked.model == job.fine_tuned_model else None


def _now(operator: Operator) -> str:
    return datetime.fromtimestamp(int(operator.clock.now()), tz=UTC).strftime(AT)


def _end_of(text: str) -> str:
    try:
        if "T" in text:
            return datetime.strptime(text, AT).replace(tzinfo=UTC).strftime(AT)
        return datetime.combine(date.fromisoformat(text), time(23, 59, 59), tzinfo=UTC).strftime(AT)
    except ValueError:
        raise UsageError(
            f"--on: found {shown(text)}, expected a day such as 2026-11-01, a time in UTC such as "
            "2026-11-01T12:00:00Z, or now."
        ) from None
