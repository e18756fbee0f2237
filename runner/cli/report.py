"""The report command: a run on one page."""

from pathlib import Path

import click

from runner.canonical import write_atomically
from runner.cli.diff import review_sides
from runner.cli.diff_sides import choose_sides
from runner.cli.host_options import allow_host_option
from runner.cli.options import (
    FILE,
    find_recipe,
    json_option,
    network_option,
    only_option,
    operator,
    profile_option,
    recipe_argument,
    tell,
    write,
    write_json,
)
from runner.cli.source_options import source_options
from runner.errors import RunnerError
from runner.pipeline import validate
from runner.recipe.choosing import single
from runner.report.run_data import report_data
from runner.report.run_html import report_html
from runner.report.run_markdown import report_markdown
from runner.report.run_report import RunReport
from runner.review.value import Review
from runner.upkeep.reporting import SHOWN_EXAMPLES, report_of


@click.command()
@recipe_argument
@profile_option
@only_option
@network_option
@source_options
@allow_host_option
@click.option("-o", "--out", "output", type=FILE, help="The file to write; `-` is the standard output.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "markdown"]),
    default="html",
    show_default=True,
    help="A page, or a pull request's comment, which goes to the standard output.",
)
@json_option
def report(
    recipe: Path | None,
    *,
    profile: str,
    only: tuple[str, ...],
    allow_network: bool,
    output: Path | None,
    form: str,
    as_json: bool,
) -> None:
    """Show the last run on one page: evaluation, curves, changes, data, recipe, price and provenance.

    The page needs no network, no script and no other file. Without -o it is written beside the recipe, as
    NAME.report.html. Nothing is trained or asked of a model; the curves come from the job's provider.
    """
    decided = operator(profile=profile, only=only, allow_network=allow_network)
    path = find_recipe(recipe)
    loaded = single(validate(path, decided), only)

    def pending() -> Review:
        sides = operator(profile=loaded.run_key, allow_network=allow_network)
        return review_sides(
            choose_sides(str(loaded.lock_path), str(path), None, sides), sides, SHOWN_EXAMPLES
        )

    made = report_of(loaded, decided, pending)
    if as_json:
        write_json({"report": report_data(made)})
        return
    text = report_html(made) if form == "html" else report_markdown(made)
    if output == Path("-") or (output is None and form == "markdown"):
        write(text)
        return
    _write_file(output or path.with_name(f"{path.stem}.report.html"), text, made)


def _write_file(target: Path, text: str, made: RunReport) -> None:
    content = text.encode("utf-8", "replace")
    try:
        write_atomically(target, content)
    except OSError as error:
        raise RunnerError(f"{target} could not be written: {error.strerror}.") from error
    for sentence in made.missing:
        tell(f"note: {sentence}")
    write(f"{target} ({len(content) / 1000:,.0f} kB)")
