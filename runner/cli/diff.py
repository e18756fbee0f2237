"""The command for reviews: what a change of recipe or data would change in training."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import click

from runner import pipeline
from runner.cli.options import (
    FILE,
    LOCK_SUFFIX,
    find_recipe,
    json_option,
    operator,
    profile_option,
    write,
    write_json,
)
from runner.cli.recipes import CHANGES_PENDING
from runner.dataset.compare import changed_examples
from runner.dataset.inputs import find_inputs
from runner.errors import RunnerError, UsageError
from runner.hints import did_you_mean
from runner.lockfile import LockedRun, read_lockfile
from runner.pipeline import Operator
from runner.project import find_project
from runner.providers.hosts import find_host
from runner.recipe.load import LoadedRecipe
from runner.report import diff_html, diff_markdown, diff_text
from runner.review.compare import Subject, compare_states, locked_state, settings_of, with_settings
from runner.review.git import find_revision
from runner.review.render import Rendered, Task, render_both
from runner.review.revision import recipe_at
from runner.review.value import Review, State

WORKING_TREE = "working tree"


@click.command()
@click.argument("before", metavar="[A]", required=False)
@click.argument("after", metavar="[B]", required=False)
@click.option(
    "--recipe",
    type=FILE,
    help="The recipe to look at in revisions and the working tree.",
)
@profile_option
@click.option(
    "-n",
    "count",
    default=3,
    show_default=True,
    help="How many conversations of each kind to show.",
    type=click.IntRange(0, 1_000),
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json", "html"]),
    default="text",
    show_default=True,
    help="How to write it; markdown is for a pull request's comment.",
)
@json_option
@click.option("--exit-code", is_flag=True, help="Exit with 5 when something changed.")
def diff(
    before: str | None,
    after: str | None,
    *,
    recipe: Path | None,
    profile: str,
    count: int,
    form: str,
    as_json: bool,
    exit_code: bool,
) -> None:
    """Say what would train differently between A and B: recipe, conversations, split, tokens, price, checks.

    A and B are git revisions, recipe files or lockfiles. Without B, A is compared with the working tree;
    without A, HEAD is. A recipe file alone is compared with itself at HEAD, a lockfile alone with its recipe.
    """
    sides = _chosen(before, after, recipe)
    review = _review(sides, operator(profile=profile), count)
    if as_json or form == "json":
        write_json({"review": diff_text.review_data(review)})
    elif form == "markdown":
        if review.is_changed:
            write(diff_markdown.review_markdown(review))
    else:
        write(diff_html.review_html(review) if form == "html" else diff_text.review_text(review))
    if exit_code and review.is_changed:
        raise click.exceptions.Exit(CHANGES_PENDING)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One side as it was asked for: a recipe file or lockfile, or with `revision` a recipe in git."""

    path: Path
    label: str
    revision: str | None = None

    @property
    def is_lock(self) -> bool:
        """Whether it is a lockfile."""
        return self.path.name.endswith(LOCK_SUFFIX)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One side as it was found: a recipe, a locked run, or nothing where the recipe is not there."""

    label: str
    state: Path
    loaded: LoadedRecipe | None = None
    run: LockedRun | None = None
    task: Task | None = None

    @property
    def subject(self) -> Subject:
        """What its settings are read from."""
        return Subject(recipe=self.loaded.recipe if self.loaded else None, run=self.run)


def _chosen(before: str | None, after: str | None, recipe: Path | None) -> tuple[Reference, Reference]:
    first, second = (Path(name) if name and _is_file(name) else None for name in (before, after))
    if after is None and first is not None and not first.name.endswith(LOCK_SUFFIX):
        before, recipe = None, first
    if after is None and first is not None and first.name.endswith(LOCK_SUFFIX) and recipe is None:
        recipe = first.with_name(first.name.removesuffix(LOCK_SUFFIX) + ".yaml")
    return _reference(before or "HEAD", recipe), _reference(after, recipe)


def _reference(name: str | None, recipe: Path | None) -> Reference:
    if name is None:
        return Reference(path=find_recipe(recipe), label=WORKING_TREE)
    if _is_file(name):
        return Reference(path=Path(name), label=name)
    if name.endswith((".yaml", ".yml")):
        raise UsageError(f"found no file {name}, expected a recipe, a lockfile or a git revision.")
    return Reference(path=find_recipe(recipe), label=name, revision=name)


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) and Path(name).is_file()


def _review(sides: tuple[Reference, Reference], decided: Operator, count: int) -> Review:
    with tempfile.TemporaryDirectory(prefix="finetune-diff-") as name:
        folder = Path(name)
        before, after = (
            _open(side, decided, folder / place) for side, place in zip(sides, ("a", "b"), strict=True)
        )
        if before.subject == after.subject == Subject():
            raise RunnerError(f"{sides[1].path}: neither {before.label} nor {after.label} has this recipe.")
        return _compared(before, after, decided.profile, folder, count)


def _compared(before: Opened, after: Opened, profile: str, folder: Path, count: int) -> Review:
    is_locked = before.run is not None or after.run is not None
    old, new, examples = render_both(before.task, after.task, folder, count)
    states = with_settings(
        _state(before, old, with_files=is_locked),
        _state(after, new, with_files=is_locked),
        settings_of(before.subject, after.subject),
    )
    recipe = next((side.loaded.recipe for side in (after, before) if side.loaded), None)
    review = compare_states(
        *states, None if is_locked else examples, name=recipe.name if recipe else "", profile=profile
    )
    return replace(review, note=_note(before, after))


def _note(before: Opened, after: Opened) -> str | None:
    """What the index files of earlier builds on this machine tell of two locked runs."""
    if before.run is None or after.run is None or before.run.index == after.run.index:
        return None
    folder = after.state / "datasets"
    return changed_examples(*(folder / f"{run.index}.index" for run in (before.run, after.run)))


def _open(side: Reference, decided: Operator, folder: Path) -> Opened:
    if side.revision is not None:
        return _open_revision(side, side.revision, decided, folder)
    state = find_project(side.path.resolve().parent).state
    if side.is_lock:
        return Opened(label=side.label, state=state, run=_locked_run(side.path, decided.profile))
    if not side.path.exists():
        return Opened(label=side.label, state=state)
    loaded = pipeline.validate(side.path, decided)
    return Opened(label=side.label, state=state, loaded=loaded, task=_task(loaded, decided, state))


def _open_revision(side: Reference, name: str, decided: Operator, folder: Path) -> Opened:
    path = side.path.resolve()
    start = next(parent for parent in path.parents if parent.is_dir())
    revision = find_revision(start, name, decided.environment)
    state = find_project(start).state
    folder.mkdir()
    loaded = recipe_at(revision, path, decided.profile, folder)
    if loaded is None:
        return Opened(label=revision.label, state=state)
    try:
        return Opened(label=revision.label, state=state, loaded=loaded, task=_task(loaded, decided, state))
    except RunnerError as error:
        raise RunnerError(f"{revision.label}: {error}") from error


def _task(loaded: LoadedRecipe, decided: Operator, state: Path) -> Task:
    host = find_host(loaded.recipe.training.provider, decided.user_hosts)
    limits, counter = pipeline.yardstick(loaded, host)
    return Task(loaded=loaded, host=host, limits=limits, counter=counter, state=state)


def _locked_run(path: Path, profile: str) -> LockedRun:
    runs = read_lockfile(path).runs
    if profile not in runs:
        near = did_you_mean(profile, list(runs))
        raise RunnerError(f"{path.name} has no run for the profile '{profile}'. {near}")
    return runs[profile]


def _state(side: Opened, rendered: Rendered | None, *, with_files: bool) -> State:
    if side.run is not None:
        return locked_state(side.label, side.run)
    if side.loaded is None or rendered is None:
        return State(label=f"{side.label}: no recipe", findings=())
    return State(
        label=side.label,
        files=_files(side.loaded) if with_files else {},
        training_file=rendered.dataset.training_file,
        validation_file=rendered.dataset.validation_file,
        price=rendered.price,
        findings=rendered.dataset.findings,
        problems=rendered.problems,
    )


def _files(loaded: LoadedRecipe) -> dict[str, str]:
    inputs = find_inputs(loaded)
    return {file.name: file.sha256[:16] for file in (*inputs.sources, *inputs.templates)}
