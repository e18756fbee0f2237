"""The import command: takes a job made elsewhere into the lockfile, or a configuration into a recipe."""

from pathlib import Path

import click

from runner.cli.host_options import allow_host_option
from runner.cli.import_settings import import_settings
from runner.cli.options import (
    FILE,
    find_recipe,
    json_option,
    only_option,
    operator,
    profile_option,
    set_option,
    tell,
    write,
    write_json,
)
from runner.errors import RunnerError, UsageError
from runner.report import machine, terminal
from runner.upkeep.adoption import adopt


@click.command("import")
@click.argument("subject", metavar="JOB|FILE")
@click.argument("recipe", required=False, type=FILE)
@click.option("-o", "--out", type=FILE, help="With a FILE: the recipe to write; by default beside it.")
@profile_option
@set_option
@only_option
@click.option("--provider", default=None, help="The host entry to ask; the recipe's own if not given.")
@click.option("--accept-differences", is_flag=True, help="Lock a job that is not what the recipe asks for.")
@click.option("--force", is_flag=True, help="With a FILE: replace a recipe that is already there.")
@allow_host_option
@json_option
def import_job(
    subject: str,
    recipe: Path | None,
    *,
    out: Path | None,
    profile: str,
    assignments: tuple[str, ...],
    only: tuple[str, ...],
    provider: str | None,
    accept_differences: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Lock a job that was made elsewhere, in a dashboard or by a script, as the recipe's job.

    With a FILE, write a recipe of the settings in it: Axolotl's or LLaMA-Factory's YAML (with its
    dataset_info.json), or a job of the OpenAI API as JSON. It says of every setting whether it was carried
    over, translated, or lost and why.

    A job is read and compared with the recipe: model, method, hyperparameters, seed, suffix, and the bytes of
    its files. A job that fits leaves nothing to do. Another one is refused, or with --accept-differences
    locked as what it is, and the next plan replaces it. Nothing is sent, started or deleted.
    """
    if Path(subject).is_file():
        if recipe and out:
            raise UsageError(f"found {recipe} and --out {out}, expected one recipe to write. Leave one out.")
        # A second path was the way to name it before --out was.
        import_settings(Path(subject), out or recipe, force=force, as_json=as_json)
        return
    if Path(subject).suffix in (".yaml", ".yml", ".json"):
        raise RunnerError(f"{subject}: not found. Give the path of a file with settings, or the ID of a job.")
    if out:
        raise UsageError(f"--out is for a FILE of settings, and there is no file {subject}. Leave it out.")
    path, decided = find_recipe(recipe), operator(profile=profile, assignments=assignments, only=only)
    done = adopt(path, decided, subject, provider, accept=accept_differences)
    job = done.run.job
    if job is None:
        raise AssertionError("BUG: an import without a job")
    if as_json:
        told = {"replaced": done.replaced, "differences": done.differences, "warnings": done.warnings}
        write_json({"run": machine.run_data(done.run), **told})
        return
    for warning in done.warnings:
        tell(f"warning: {warning}")
    for difference in done.differences:
        tell(f"accepted: {difference}")
    write(terminal.locked_job_text(job))
    tell(f"locked under the profile '{profile}'" + (f" in place of {done.replaced}" if done.replaced else ""))
