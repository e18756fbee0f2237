"""Gathers what a report tells of a recipe's last run; what cannot be got is said, not an end."""

import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from runner import __version__
from runner.building import build, supply_sources, yardstick
from runner.dataset.value import Dataset, DatasetFile
from runner.display import one_line
from runner.errors import RunnerError
from runner.evaluation.candidates import TUNED
from runner.evaluation.kept import kept_evaluation
from runner.evaluation.value import Evaluation
from runner.execution.curves import curves_of
from runner.execution.history import PastRun, history_of
from runner.lock.evaluation import LockedEvaluation
from runner.lock.lockfile import LockedRun, parse_run, read_lockfile
from runner.operator import Operator
from runner.price import price_of
from runner.providers.hosts import Host, find_host
from runner.recipe.load import LoadedRecipe
from runner.report.profile import FileProfile, profile_of
from runner.report.run_report import RunReport
from runner.review.compare import Subject, compare_states, locked_state, settings_of, with_settings
from runner.review.git import commit_with
from runner.review.indexed import indexed_run
from runner.review.render import render_both
from runner.review.value import Review
from runner.running.state import provider_of

SHOWN_EXAMPLES = 3
Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class _Gathering:
    """A recipe whose report is made, and what could not be got for it so far."""

    loaded: LoadedRecipe
    operator: Operator
    host: Host
    missing: list[str]

    def attempt(self, what: str, get: Callable[[], Found]) -> Found | None:
        """What `get` finds; a failure is noted as a sentence about `what`."""
        try:
            return get()
        except RunnerError as error:
            self.missing.append(f"{what}: {one_line(str(error), limit=400)}")
            return None


def report_of(
    loaded: LoadedRecipe, operator: Operator, pending: Callable[[], Review] | None = None
) -> RunReport:
    """Everything that is known of a recipe's last run; `pending` compares the recipe with its lockfile."""
    run = read_lockfile(loaded.lock_path).runs.get(loaded.run_key)
    host = find_host(loaded.recipe.training.provider, operator.user_hosts, loaded.project)
    gathering = _Gathering(loaded=loaded, operator=operator, host=host, missing=[])
    past = tuple(item for item in history_of(loaded, operator.clock).runs() if item.profile == loaded.run_key)
    dataset = gathering.attempt("The dataset", lambda: _dataset(gathering))
    told = _of_job(gathering, run) if run is not None and run.job is not None else {}
    profiles = gathering.attempt("The dataset's profile", lambda: _profiles(gathering, run, dataset)) or {}
    review = None
    if run is not None and pending is not None:
        review = gathering.attempt("What is not trained yet", pending)
    lock = loaded.lock_path
    commit = None
    if run is not None:
        commit = commit_with(loaded.folder, lock.name, lock.read_bytes(), operator.environment)
    return RunReport(
        name=loaded.recipe.name,
        description=loaded.recipe.description or "",
        profile=loaded.run_key,
        file=loaded.file,
        recipe_text=loaded.path.read_text(encoding="utf-8", errors="replace"),
        run=run,
        findings=dataset.findings if dataset else (),
        sources=_sources(run, dataset),
        price=_price(gathering, dataset) if dataset else None,
        evaluation=_evaluation(gathering, run),
        locked_evaluation=_locked_evaluation(run),
        changes=_changes(loaded, run, past) if run is not None else None,
        pending=review if review is not None and review.is_changed else None,
        past=past,
        versions={"finetune-runner": __version__},
        commit=commit,
        missing=tuple(gathering.missing),
        training=profiles.get("training"),
        validation=profiles.get("validation"),
        **told,
    )


def _dataset(gathering: _Gathering) -> Dataset:
    supply_sources(gathering.loaded, gathering.operator)
    effort = gathering.operator.effort
    return build(gathering.loaded, gathering.host, effort=effort)


def _price(gathering: _Gathering, dataset: Dataset) -> Any:
    loaded, host = gathering.loaded, gathering.host
    return price_of(loaded.recipe, dataset, host, host.model(loaded.root_model))


def _of_job(gathering: _Gathering, run: LockedRun) -> dict[str, Any]:
    """What the job's provider tells of it."""
    locked = run.job
    if locked is None:
        raise AssertionError("BUG: nothing to ask about")

    def ask() -> dict[str, Any]:
        host = find_host(locked.provider, gathering.operator.user_hosts, gathering.loaded.project)
        with closing(provider_of(host, gathering.loaded.project, gathering.operator)) as provider:
            return {
                "job": provider.retrieve_job(locked.id),
                "curves": curves_of(provider, locked.id),
                "checkpoints": tuple(provider.list_checkpoints(locked.id)),
            }

    return gathering.attempt(f"The curves of {locked.id}", ask) or {}


def _profiles(
    gathering: _Gathering, run: LockedRun | None, dataset: Dataset | None
) -> dict[str, FileProfile]:
    """The locked files where they are on this machine, else those that the recipe makes now."""
    folder = gathering.loaded.project.state / "datasets"
    files: dict[str, DatasetFile | None] = {}
    if run is not None:
        validation = run.validation_file.file if run.validation_file else None
        files = {"training": run.training_file.file, "validation": validation}
    if not files or not all((folder / f"{file.sha256}.jsonl").is_file() for file in files.values() if file):
        if run is not None and dataset is not None:
            gathering.missing.append(
                "The dataset of the locked run is not on this machine: what follows of the data is what the "
                "recipe makes of it today."
            )
        files = {"training": dataset.training_file, "validation": dataset.validation_file} if dataset else {}
    limits, counter = yardstick(gathering.loaded, gathering.host)
    return {
        name: profile_of(folder / f"{file.sha256}.jsonl", file, counter, limits.max_example_tokens)
        for name, file in files.items()
        if file is not None
    }


def _sources(run: LockedRun | None, dataset: Dataset | None) -> Any:
    if run is not None:
        return (*run.sources, *run.templates)
    return (*dataset.sources, *dataset.templates) if dataset else ()


def _evaluation(gathering: _Gathering, run: LockedRun | None) -> Evaluation | None:
    """The last evaluation here, where it is one of the locked model."""
    folder = gathering.loaded.project.state / "evaluation"
    found = kept_evaluation(folder, gathering.loaded.run_name)
    tuned = found.result(TUNED) if found else None
    model = run.job.fine_tuned_model if run is not None and run.job is not None else None
    if tuned is not None and tuned.model == model:
        return found
    if run is not None and run.evaluation is not None and _locked_model(run.evaluation) != model:
        gathering.missing.append(
            "The locked evaluation is of an earlier model, so it is not shown. "
            f"{gathering.loaded.command('eval')} asks this one."
        )
    elif run is not None and run.evaluation is not None:
        gathering.missing.append(
            "The answers of the locked evaluation are not on this machine: only its scores are shown. "
            f"{gathering.loaded.command('eval')} asks again."
        )
    return None


def _locked_evaluation(run: LockedRun | None) -> LockedEvaluation | None:
    """What the lockfile keeps of an evaluation, where it is one of the locked model."""
    if run is None or run.job is None or run.evaluation is None:
        return None
    return run.evaluation if _locked_model(run.evaluation) == run.job.fine_tuned_model else None


def _locked_model(evaluation: LockedEvaluation) -> str | None:
    tuned = evaluation.candidates.get(TUNED)
    return tuned.model if tuned else None


def _changes(loaded: LoadedRecipe, run: LockedRun, past: tuple[PastRun, ...]) -> Review | None:
    """What trained differently than in the run before this one."""
    job_id = run.job.id if run.job else ""
    before = next((_run_of(item) for item in past if item.job["id"] != job_id), None)
    if before is None or before.job is None:
        return None
    # History keeps nothing of recipe and sources.
    after = replace(run, sections={}, sources=(), templates=())
    states = with_settings(
        locked_state(before.job.id, before),
        locked_state(job_id, after),
        settings_of(Subject(run=before), Subject(run=after)),
    )
    folder = loaded.project.state / "datasets"
    with tempfile.TemporaryDirectory(prefix="finetune-report-") as name:
        parts = (indexed_run(before, folder), indexed_run(after, folder))
        *_, examples = render_both(*parts, Path(name), SHOWN_EXAMPLES)
    review = compare_states(*states, examples, name=loaded.recipe.name, profile=loaded.run_key)
    is_same = before.training_file.file.sha256 == after.training_file.file.sha256
    unknown = "changed; the conversations of the earlier run are not on this machine"
    return replace(review, note=unknown if examples is None and not is_same else None)


def _run_of(past: PastRun) -> LockedRun | None:
    """A past run as a locked one of which the recipe and sources are not known."""
    rest = {"recipe": {"sha256": "", "sections": {}}, "sources": {}, "templates": {}}
    try:
        return parse_run({"job": past.job, "dataset": past.dataset, **rest})
    except (KeyError, TypeError):
        return None
