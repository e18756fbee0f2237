"""The stages of a run in order: recipe file → recipe → examples → dataset → plan → run → lockfile."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path, PurePath
from typing import Protocol

from runner.budget import refuse_over_budget
from runner.canonical import sha256_of
from runner.clock import Clock, SystemClock
from runner.dataset.build import build_dataset
from runner.dataset.cache import cache_key, read_cached, write_cached
from runner.dataset.checks import DatasetLimits
from runner.dataset.checks.baseline import read_baseline, with_baseline
from runner.dataset.checks.checker import effective_levels
from runner.dataset.checks.settings import baseline_path, check_settings
from runner.dataset.compare import changed_examples
from runner.dataset.hashed_files import HashedFiles
from runner.dataset.inputs import find_inputs, find_sources
from runner.dataset.recipe_tests import check_tests, failed_tests
from runner.dataset.tokens import (
    SMALL_VOCABULARY_MARGIN,
    CountedTokens,
    EstimatedTokens,
    TokenCounter,
    can_count,
)
from runner.dataset.value import Dataset
from runner.errors import (
    DetachedError,
    InvalidInputError,
    JobFailedError,
    ProviderError,
    RunnerError,
    UsageError,
)
from runner.evaluation.problems import evaluation_problems
from runner.examples.confinement import read_confined
from runner.examples.mapping import check_fields
from runner.examples.read import Example
from runner.examples.selection import check_selection
from runner.examples.templates import check_templates
from runner.execution.blamed_examples import blamed_examples
from runner.execution.history import history_of
from runner.execution.journal import Journal, exclusive, serialised
from runner.execution.outcome import detached, failure, gone, interruption, weights_warning
from runner.execution.run import Execution, locked_base, start, with_result
from runner.execution.watching import Update, follow
from runner.hints import did_you_mean
from runner.issues import Issue
from runner.lockfile import LockedJob, LockedRun, read_lockfile, write_lockfile
from runner.plan import CreateJob, Planned, Situation, WatchJob, base_job, make_plan, section_hashes
from runner.project import Grants, Project
from runner.providers.base import Job, NotFoundError, Provider
from runner.providers.base_models import pinned_name
from runner.providers.checks import base_model, host_problems, refuse_large_files
from runner.providers.connect import open_provider
from runner.providers.hosts import Host, find_host
from runner.providers.local_service import has_artefact, has_job
from runner.providers.translation import worded
from runner.recipe.choosing import single, with_one_dataset
from runner.recipe.composition import DEFAULT_PROFILE
from runner.recipe.load import LoadedRecipe, choose_profile, load_profiles, load_recipe
from runner.sources.check import check_sources
from runner.sources.supply import adopt, supply

HOSTED_POLL_S = 5.0
LOCAL_POLL_S = 0.5
# A paid host's clock has whole seconds: two runs that race are told apart a second later.
SETTLE_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Operator:
    """What the person at the keyboard decides, which no recipe can: keys, network, profile, spending."""

    environment: Mapping[str, str] = field(default_factory=dict)
    user_hosts: Path | None = None
    profile: str = DEFAULT_PROFILE
    assignments: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    allow_network: bool = False
    grants: Grants = Grants()
    say: Callable[[str], None] = lambda _: None
    allow_unknown_price: bool = False
    retry: bool = False
    locked: bool = False
    max_cost_usd: float | None = None
    clock: Clock = field(default_factory=SystemClock)


class Console(Protocol):
    """How a run speaks with the person who started it."""

    def confirm(self, plans: Sequence[Planned]) -> bool:
        """Ask before anything is sent, for all jobs at once; plans without cost need no question."""

    def say(self, message: str) -> None:
        """Tell what is being done."""

    def show(self, update: Update) -> None:
        """Show a job's progress."""


def validate(path: Path, operator: Operator) -> LoadedRecipe:
    """Read a recipe and check it, its profiles, templates and host entries, without touching any record.

    Then run the tests that bring their record along. Raises InvalidInputError with all problems.
    """
    profiles = load_profiles(path, operator.profile, operator.assignments)
    chosen = choose_profile(profiles, path, operator.profile)
    issues: list[Issue] = []
    for loaded in profiles.values():
        runs = (loaded, *loaded.combinations)
        for each in {each.run_name: each for run in runs for each in run.lineage}.values():
            issues += [issue for issue in _semantic_issues(each, operator) if issue not in issues]
    issues = issues or failed_tests(chosen)
    if issues:
        raise InvalidInputError(issues)
    return _granted(chosen, operator)


def supply_sources(loaded: LoadedRecipe, operator: Operator) -> None:
    """Download what sources name outside the project, if the operator lets them. Raises InvalidInputError."""
    supply(loaded.recipe.sources, loaded.project, allow_network=operator.allow_network, say=operator.say)


def preview(path: Path, operator: Operator) -> Generator[Example | Issue, None, None]:
    """The examples of a recipe one by one, nothing checked or written."""
    loaded = with_one_dataset(validate(path, operator), operator.only)
    supply_sources(loaded, operator)
    find_sources(loaded)
    yield from read_confined(loaded.recipe, loaded.folder, loaded.project)


def build(loaded: LoadedRecipe, host: Host, *, use_cache: bool = True, read_all: bool = False) -> Dataset:
    """Build, or find built, the dataset of a recipe; findings that its baseline lacks are part of it.

    `read_all` hashes even the sources that nothing touched since they were hashed. Raises InvalidInputError.
    """
    dataset = build_unfiltered(loaded, host, use_cache=use_cache, read_all=read_all)
    path = baseline_path(loaded)
    if path is None:
        return dataset
    return with_baseline(dataset, read_baseline(path), effective_levels(loaded.recipe.checks))


def build_unfiltered(
    loaded: LoadedRecipe, host: Host, *, use_cache: bool = True, read_all: bool = False
) -> Dataset:
    """As `build`, with all findings."""
    state = loaded.project.make_state()
    folder, cache = state / "datasets", state / "cache"
    hashed = HashedFiles(cache / "files.json" if use_cache and not read_all else None)
    inputs = find_inputs(loaded, hashed)
    hashed.save()
    limits, counter = yardstick(loaded, host)
    key = cache_key(loaded.recipe, inputs, limits, counter)
    cached = read_cached(cache, key, folder) if use_cache else None
    if cached is not None:
        return cached
    dataset = build_dataset(loaded, inputs, folder, (limits, counter))
    if inputs != find_inputs(loaded, hashed):
        raise RunnerError("a source file changed while it was being read. Run the command again.")
    write_cached(cache, key, dataset)
    return dataset


def plan(path: Path, operator: Operator) -> Planned:
    """Decide what one run would do, and the run of a recipe whose result it trains further.

    Raises InvalidInputError, StaleLockError, UsageError where the recipe has several; nothing is sent.
    """
    return plan_loaded(single(validate(path, operator), operator.only), operator)


def plan_loaded(
    loaded: LoadedRecipe,
    operator: Operator,
    built: dict[str, Dataset] | None = None,
    *,
    rerun: int | None = None,
    read_all: bool = False,
) -> Planned:
    """Decide what a run of a recipe that was read and checked would do, as `plan` does.

    `built` keeps datasets for other recipes that are planned at the same moment; `rerun` is the attempt to
    repeat the locked job with. With `read_all`, every source is hashed, however unchanged it looks.
    """
    supply_sources(loaded, operator)
    built = {} if built is None else built
    base = plan_loaded(loaded.base, operator, built, read_all=read_all) if loaded.base else None
    host = find_host(loaded.recipe.training.provider, operator.user_hosts)
    key = _data_key(loaded, host)
    if key not in built:
        use_cache = not (operator.locked or operator.environment.get("CI"))
        built[key] = build(loaded, host, use_cache=use_cache, read_all=read_all)
    dataset = built[key]
    locked = read_lockfile(loaded.lock_path).runs.get(loaded.run_key)
    situation = replace(_situation(loaded, host, dataset, locked, operator), base=base_job(base), rerun=rerun)
    return Planned(
        loaded=loaded,
        host=host,
        dataset=dataset,
        locked=locked,
        plan=make_plan(loaded.recipe, dataset, locked, situation),
        model_sha256=situation.model_sha256,
        changed_examples=situation.changed_examples,
        base=base,
    )


def follow_started(planned: Planned, started: LockedRun, operator: Operator, console: Console) -> LockedRun:
    """Follow a job that was started by a plan to its end and lock the result. Raises JobFailedError."""
    before = planned.locked if planned.plan.repeats_job else None
    return _follow(followed_run(planned.loaded, planned.host, started, before), operator, console)


def watch(path: Path, operator: Operator, console: Console) -> LockedRun:
    """Follow the job in the lockfile to its end and lock the result; sources need not be there."""
    loaded = single(load_recipe(path, operator.profile), operator.only)
    locked = read_lockfile(loaded.lock_path).runs.get(loaded.run_key)
    if locked is None or locked.job is None:
        raise RunnerError(no_job(loaded))
    host = find_host(locked.job.provider, operator.user_hosts)
    before = locked if locked.job.status == "succeeded" else None
    return _follow(followed_run(loaded, host, locked, before), operator, console)


def no_job(loaded: LoadedRecipe) -> str:
    """That a recipe was not run yet, and what to type."""
    return f"no job was started under the profile '{loaded.run_key}'. {loaded.command('run')} starts one."


def provider_of(host: Host, project: Project, operator: Operator) -> Provider:
    """Connect to a host for a project."""
    state = project.make_state()
    return open_provider(host, state, operator.environment, allow_network=operator.allow_network)


def alone(loaded: LoadedRecipe) -> AbstractContextManager[None]:
    """While a job of a recipe is started on this machine, nobody else here starts one."""
    path = loaded.project.make_state() / "locks" / f"{_run_name(loaded)}.lock"
    return exclusive(path, loaded.path.name, loaded.command("watch"))


def journal_of(loaded: LoadedRecipe) -> Journal:
    """The journal of a recipe under a profile."""
    return Journal(loaded.project.make_state() / "journal" / f"{_run_name(loaded)}.jsonl")


def _run_name(loaded: LoadedRecipe) -> str:
    return sha256_of([loaded.project.name_of(loaded.path), loaded.run_key])[:16]


def _base_result(planned: Planned, operator: Operator, console: Console) -> LockedJob | None:
    """Run the recipe whose result is trained further, where it is needed and not done; its job.

    Raises RunnerError when another result than the planned one comes out, and what `run` raises.
    """
    base = planned.base
    if base is None or not planned.plan.creates_job:
        return None
    with alone(base.loaded):
        # Another process may have run it meanwhile.
        now = plan_loaded(base.loaded, operator, read_all=True)
        run = start_job(now, operator, console) if now.plan.steps else now.locked
    if run is not None and now.plan.steps:
        run = follow_started(now, run, operator, console)
    if run is None or run.job is None or run.job.digest != base.plan.digest:
        raise RunnerError(f"{base.loaded.run_name} changed while it was run. Run the command again.")
    return run.job


def _sent_model(planned: Planned, base: LockedJob | None, operator: Operator) -> str:
    if base is None:
        return _pinned_model(planned, operator)
    if base.fine_tuned_model is None:
        raise RunnerError(f"job {base.id} has no tuned model to train further. `finetune status` shows it.")
    return base.fine_tuned_model


def start_job(planned: Planned, operator: Operator, console: Console, *, reruns: bool = False) -> LockedRun:
    """Do the steps of a plan up to a started job, which is locked at once unless it `reruns` a locked one.

    The recipe whose result is trained further is run to its end first, where that is not done.
    """
    loaded = planned.loaded
    base = _base_result(planned, operator, console)
    with closing(provider_of(planned.host, loaded.project, operator)) as provider:
        execution = Execution(
            recipe=loaded.recipe,
            dataset=planned.dataset,
            provider=provider,
            journal=journal_of(loaded),
            clock=operator.clock,
            save=lambda run: reruns or save_run(loaded, run),
            say=console.say,
            model=_sent_model(planned, base, operator),
            base=locked_base(loaded.recipe, base.digest) if base else None,
            wording=worded(loaded.recipe.training, planned.host),
            model_sha256=planned.model_sha256,
            allow_network=operator.allow_network,
            keeps_metadata=planned.host.keeps_metadata,
            settle_s=0.0 if planned.host.is_local else SETTLE_S,
        )
        try:
            run = start(execution, planned.plan, planned.locked)
        except KeyboardInterrupt:
            raise DetachedError(
                interruption(planned, execution.journal, "rerun" if reruns else "run")
            ) from None
    _record_start(planned, run, operator)
    return run


def _record_start(planned: Planned, run: LockedRun, operator: Operator) -> None:
    reason = next((step.reason for step in planned.plan.steps if isinstance(step, CreateJob)), None)
    if reason is None:
        return
    history = history_of(planned.loaded, operator.clock)
    if planned.locked is not None and planned.locked.job is not None:
        history.keep(planned.loaded.run_key, planned.locked)
    history.record(planned.loaded.run_key, run, reason)


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A job to follow: the run it is locked in, and an earlier success that its failure must not replace.

    `watch` and `cancel` are commands to type about it.
    """

    loaded: LoadedRecipe
    host: Host
    run: LockedRun
    watch: str
    cancel: str
    before: LockedRun | None = None


def followed_run(loaded: LoadedRecipe, host: Host, run: LockedRun, before: LockedRun | None) -> Followed:
    """How the job of a recipe's last run is followed."""
    watch, cancel = loaded.command("watch"), loaded.command("cancel")
    return Followed(loaded=loaded, host=host, run=run, watch=watch, cancel=cancel, before=before)


def _follow(followed: Followed, operator: Operator, console: Console) -> LockedRun:
    loaded, run = followed.loaded, followed.run
    finished, job = follow_job(followed, operator, console)
    succeeded = job.status == "succeeded"
    # A repetition that fails takes nothing away from the success in the lockfile.
    unsaved = _try_to_save(loaded, finished if succeeded or followed.before is None else followed.before)
    if not succeeded:
        events, retry = loaded.command("events"), loaded.command("run", "--retry")
        said = failure(job, events=events, retry=retry)
        raise job_failed(loaded, run, job, "\n".join([said, *unsaved]))
    if unsaved:
        raise RunnerError("\n".join([f"job {job.id} succeeded.", *unsaved]))
    for message in (weights_warning(run, finished), followed.host.deployment):
        if message:
            console.say(message)
    return finished


def follow_job(followed: Followed, operator: Operator, console: Console) -> tuple[LockedRun, Job]:
    """Follow a job to its end; the run with its result goes into the history and is not locked."""
    update = _last_update(followed, operator, console)
    finished = with_result(followed.run, update.job, update.checkpoints)
    history_of(followed.loaded, operator.clock).record(followed.loaded.run_key, finished)
    return finished, update.job


def job_failed(loaded: LoadedRecipe, run: LockedRun, job: Job, said: str) -> JobFailedError:
    """What was said of a job that did not succeed, with the rows that its error names."""
    blamed = blamed_examples(loaded, run, job.error) if job.error else ()
    return JobFailedError("\n".join([said, *blamed]))


def _last_update(followed: Followed, operator: Operator, console: Console) -> Update:
    loaded, host, job = followed.loaded, followed.host, followed.run.job
    if job is None:
        raise AssertionError("BUG: nothing to follow")
    update = None
    interval_s = LOCAL_POLL_S if host.is_local else HOSTED_POLL_S
    try:
        for update in follow(
            lambda: provider_of(host, loaded.project, operator), job.id, operator.clock, interval_s
        ):
            console.show(update)
    except KeyboardInterrupt:
        raise DetachedError(detached(job.id, watch=followed.watch, cancel=followed.cancel)) from None
    except NotFoundError as error:
        raise ProviderError(gone(job.id, host.name, loaded.command("plan"))) from error
    if update is None:
        raise AssertionError("BUG: a job was followed without an update")
    return update


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
    if planned.plan.creates_job:
        refuse_large_files(planned.dataset, planned.host)
    model = planned.host.model(planned.loaded.root_model)
    today = today_of(operator)
    if planned.plan.creates_job and not operator.allow_network:
        _pinned_model(planned, operator)
    if planned.plan.creates_job and model and model.shutdown_date and model.shutdown_date < today:
        raise RunnerError(
            f"{model.name} was shut down on {model.shutdown_date}. Choose another model; "
            f"{planned.loaded.command('plan')} under another profile shows what it would cost."
        )


def _pinned_model(planned: Planned, operator: Operator) -> str:
    """The base model's name for the provider; a hub model stays at the commit that it has in the lock."""
    loaded, job = planned.loaded, planned.locked.job if planned.locked else None
    is_same = job is not None and job.model == loaded.recipe.training.model
    return pinned_name(
        base_model(loaded, planned.host),
        job.model_revision if job is not None and is_same else None,
        operator.environment,
        allow_network=operator.allow_network,
    )


def _refuse_vain_retry(planned: Planned) -> None:
    """Raise UsageError where there is no ended job that `--retry` could repeat."""
    steps, job = planned.plan.steps, planned.locked.job if planned.locked else None
    if job is not None and (not steps or isinstance(steps[0], WatchJob)):
        state = "succeeded" if job.status == "succeeded" else f"is still {job.status}"
        raise UsageError(
            f"job {job.id} {state}; --retry starts a new attempt of a failed or cancelled one. Leave it out."
        )


def _try_to_save(loaded: LoadedRecipe, run: LockedRun) -> list[str]:
    """Save a run; a sentence where that failed, so that what became of the job is told all the same."""
    try:
        save_run(loaded, run)
    except OSError as error:
        name, watch = loaded.lock_path.name, loaded.command("watch")
        return [f"{name} could not be written: {error.strerror}. Repair that, then {watch} locks the result."]
    return []


def save_run(loaded: LoadedRecipe, run: LockedRun, *, over: str | None = None) -> bool:
    """Put a run into the lockfile in place of the profile's last one.

    Where `over` names a job, only if that job still stands there; returns whether it was put.
    """
    name = sha256_of(loaded.project.name_of(loaded.lock_path))[:16]
    # Profiles share the file, and two of them may finish at once.
    with serialised(loaded.project.make_state() / "locks" / f"{name}.lock"):
        lockfile = read_lockfile(loaded.lock_path)
        last = lockfile.runs.get(loaded.run_key)
        if over is not None and (last is None or last.job is None or last.job.id != over):
            return False
        write_lockfile(loaded.lock_path, lockfile.with_run(loaded.run_key, run))
    return True


def _situation(
    loaded: LoadedRecipe,
    host: Host,
    dataset: Dataset,
    locked: LockedRun | None,
    operator: Operator,
) -> Situation:
    changed = None
    if locked is not None and locked.index != dataset.index:
        changed = changed_examples(dataset.folder / f"{locked.index}.index", dataset.index_path)
    return Situation(
        host=host,
        today=today_of(operator),
        model=host.model(loaded.root_model),
        # A tuned model's files follow from its job's digest.
        model_sha256=None if loaded.base else base_model(loaded, host).sha256(),
        artefact_present=_artefact_present(loaded, host, locked),
        changed_examples=changed,
        retry=operator.retry,
    )


def _data_key(loaded: LoadedRecipe, host: Host) -> str:
    """What tells the datasets of recipes apart that are planned at one moment."""
    limits, counter = yardstick(loaded, host)
    return sha256_of(
        {
            "folder": loaded.project.name_of(loaded.folder),
            "sections": section_hashes(loaded.recipe),
            "limits": asdict(limits),
            "counter": [type(counter).__name__, counter.margin],
        }
    )


def _artefact_present(loaded: LoadedRecipe, host: Host, locked: LockedRun | None) -> bool:
    if not host.is_local or locked is None or locked.job is None:
        return True
    here = has_artefact if locked.job.status == "succeeded" else has_job
    return here(loaded.project.state, locked.job.id)


def _granted(loaded: LoadedRecipe, operator: Operator) -> LoadedRecipe:
    """The recipe in a project that may read what the operator grants; files are copied into its state."""
    if operator.grants == Grants():
        return loaded
    files = []
    for name, path in operator.grants.files:
        source = next((source for source in loaded.recipe.sources if source.name == name), None)
        if source is None:
            known = [source.name for source in loaded.recipe.sources if source.name is not None]
            raise UsageError(
                f"--source {name}: found no source called '{name}'. {did_you_mean(name, known)}".rstrip()
            )
        suffixes = "" if path.suffix else "".join(PurePath(source.path).suffixes)
        files.append((name, adopt(path, f"{path.name}{suffixes}", loaded.project)))
    grants = replace(operator.grants, files=tuple(files))
    project = replace(loaded.project, grants=grants)
    combinations = tuple(replace(each, project=project) for each in loaded.combinations)
    return replace(loaded, project=project, combinations=combinations)


def _semantic_issues(loaded: LoadedRecipe, operator: Operator) -> list[Issue]:
    problems = [
        *check_sources(loaded.recipe),
        *check_selection(loaded.recipe),
        *check_fields(loaded.recipe),
        *check_templates(loaded.recipe, loaded.folder, loaded.project),
        *check_settings(loaded),
        *check_tests(loaded.recipe),
        *evaluation_problems(loaded.recipe),
    ]
    issues = [loaded.issue(keys, message) for keys, message in problems]
    return [*issues, *host_problems(loaded, operator.user_hosts)]


def yardstick(loaded: LoadedRecipe, host: Host) -> tuple[DatasetLimits, TokenCounter]:
    """What the chosen host and model accept, and how their tokens are counted."""
    return yardstick_of(host, loaded.root_model)


def yardstick_of(host: Host, name: str | None) -> tuple[DatasetLimits, TokenCounter]:
    """What a host and one of its models accept; without a model no length is too long."""
    model = host.model(name) if name is not None else None
    limits = DatasetLimits(
        min_examples=host.limits.min_examples,
        max_example_tokens=model.max_example_tokens if model else None,
    )
    if model is None or model.tokenizer is None:
        return limits, EstimatedTokens()
    if can_count():
        return limits, CountedTokens(model.tokenizer, model.chat_format)
    return limits, EstimatedTokens(SMALL_VOCABULARY_MARGIN)


def today_of(operator: Operator) -> date:
    """The day in UTC."""
    return datetime.fromtimestamp(operator.clock.now(), tz=UTC).date()
