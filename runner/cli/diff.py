"""The command for reviews: what a change of recipe or data would change in training."""

import tempfile
from dataclasses import replace
from pathlib import Path

import click

from runner.cli.diff_sides import Opened, Reference, choose_sides, open_side
from runner.cli.options import FILE, json_option, operator, profile_option, write, write_json
from runner.cli.recipes import CHANGES_PENDING
from runner.cli.source_options import source_options
from runner.dataset.compare import changed_examples
from runner.dataset.inputs import find_inputs
from runner.dataset.value import InputFile
from runner.errors import RunnerError
from runner.hints import did_you_mean
from runner.operator import Operator
from runner.recipe.composition import DEFAULT_PROFILE
from runner.recipe.load import LoadedRecipe
from runner.report import diff_data, diff_html, diff_markdown, diff_text
from runner.review.compare import Subject, compare_states, locked_state, settings_of, with_settings
from runner.review.profiles import profile_changes
from runner.review.render import Rendered, render_both
from runner.review.value import ExampleChanges, Review, State


@click.command()
@click.argument("before", metavar="[A]", required=False)
@click.argument("after", metavar="[B]", required=False)
@click.option(
    "--recipe",
    type=FILE,
    help="The recipe to look at in revisions and the working tree.",
)
@profile_option
@source_options
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

    A and B are git revisions, recipe files or lockfiles, or one of those in git as REVISION:PATH. Without B,
    a revision or REVISION:PATH is compared with the working tree, a recipe file with itself at HEAD, a
    lockfile with its recipe. Without A, HEAD is compared with the working tree.
    """
    decided = operator(profile=profile)
    review = review_sides(choose_sides(before, after, recipe, decided), decided, count)
    if as_json or form == "json":
        write_json({"review": diff_data.review_data(review)})
    elif form == "markdown":
        if review.is_changed:
            write(diff_markdown.review_markdown(review))
    else:
        write(diff_html.review_html(review) if form == "html" else diff_text.review_text(review))
    if exit_code and review.is_changed:
        raise click.exceptions.Exit(CHANGES_PENDING)


def review_sides(sides: tuple[Reference, Reference], decided: Operator, count: int) -> Review:
    """What differs between two sides, with the first few conversations of each kind. Raises RunnerError."""
    with tempfile.TemporaryDirectory(prefix="finetune-diff-") as name:
        folder = Path(name)
        before, after = (
            open_side(side, decided, folder / place) for side, place in zip(sides, ("a", "b"), strict=True)
        )
        _refuse_nothing(sides, before, after, decided.profile)
        return _compared(before, after, decided.profile, folder, count)


def _refuse_nothing(sides: tuple[Reference, Reference], before: Opened, after: Opened, profile: str) -> None:
    """Raise where there is nothing to compare, or a file is not there that was named as such."""
    empty = [
        (side, found)
        for side, found in zip(sides, (before, after), strict=True)
        if found.subject == Subject()
    ]
    known = {*before.other_profiles, *after.other_profiles}
    if len(empty) == 2 and known:
        near = did_you_mean(profile, known)
        raise RunnerError(f"neither {before.label} nor {after.label} has the profile '{profile}'. {near}")
    if len(empty) == 2:
        raise RunnerError(f"{sides[1].path}: neither {before.label} nor {after.label} has this recipe.")
    for side, found in empty:
        if all(other.is_exact for other in sides) and not found.other_profiles:
            raise RunnerError(f"found no {side.label}, expected a recipe or lockfile there.")


def _compared(before: Opened, after: Opened, profile: str, folder: Path, count: int) -> Review:
    is_locked = before.run is not None or after.run is not None
    old, new, examples = render_both(before.part, after.part, folder, count)
    states = with_settings(
        _state(before, old, with_files=is_locked),
        _state(after, new, with_files=is_locked),
        settings_of(before.subject, after.subject),
    )
    recipe = next((side.loaded.recipe for side in (after, before) if side.loaded), None)
    if examples is None and _same_files(*states):
        examples = ExampleChanges()
    review = compare_states(*states, examples, name=recipe.name if recipe else "", profile=profile)
    others = profile_changes(before.subjects(), after.subjects(), review.changes)
    return replace(
        review,
        profiles=others if profile == DEFAULT_PROFILE else (),
        note=_note(before, after) if examples is None else None,
    )


def _same_files(before: State, after: State) -> bool:
    """Whether the files of both datasets have the same hashes: then no conversation differs."""
    return all(
        (old.sha256 if old else None) == (new.sha256 if new else None)
        for old, new in (
            (before.training_file, after.training_file),
            (before.validation_file, after.validation_file),
        )
    )


def _note(before: Opened, after: Opened) -> str:
    """What is known of conversations that cannot be listed, from the index files of earlier builds."""
    counted = None
    if before.run is not None and after.run is not None:
        folder = after.state / "datasets"
        counted = changed_examples(*(folder / f"{run.index}.index" for run in (before.run, after.run)))
    return (
        counted or "changed; which ones is not known here: no build on this machine made the locked dataset"
    )


def _state(side: Opened, rendered: Rendered | None, *, with_files: bool) -> State:
    if side.run is not None:
        return locked_state(side.label, side.run)
    if side.loaded is None or rendered is None:
        return State(label=f"{side.label}: {side.absence}", findings=())
    return State(
        label=side.label,
        files=_files(side.loaded) if with_files else {},
        training_file=rendered.dataset.training_file,
        validation_file=rendered.dataset.validation_file,
        n_records=rendered.dataset.n_records,
        price=rendered.price,
        findings=rendered.dataset.findings,
        problems=rendered.problems,
    )


def _files(loaded: LoadedRecipe) -> dict[str, InputFile]:
    inputs = find_inputs(loaded)
    return {file.name: file for file in (*inputs.sources, *inputs.templates)}
