"""Options and arguments that several commands share, and what they stand for."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runner.cli.host_options import allow_host_option, hosts_allowed, user_hosts
from runner.cli.source_options import granted, max_kept_bytes
from runner.cli.streams import emit
from runner.dataset.watched import UNWATCHED, BuildWatch
from runner.display import neutral_json, neutralise
from runner.errors import UsageError
from runner.hints import command
from runner.operator import Operator
from runner.project import Project, find_project
from runner.providers.hosts import Host, find_host
from runner.recipe.choosing import single
from runner.recipe.composition import DEFAULT_PROFILE
from runner.recipe.load import LoadedRecipe, load_recipe
from runner.report.build_progress import BuildProgress

if TYPE_CHECKING:
    from runner.providers.base import Provider

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
profile_option = click.option(
    "--profile", default=DEFAULT_PROFILE, show_default=True, help="The overlay of the recipe to use."
)
set_option = click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="PATH=VALUE",
    help="Set a value of the recipe, such as training.seed=3 or sources.0.path=x.csv; repeatable.",
)
only_option = click.option(
    "--only",
    multiple=True,
    metavar="KEY=VALUE",
    help="Of a recipe's matrix, only the combinations with this value; repeatable.",
)
network_option = click.option(
    "--allow-network",
    is_flag=True,
    help="Let the recipe fetch data from its URLs, and models and datasets from the Hugging Face hub.",
)
webhook_option = click.option(
    "--webhook",
    envvar="FINETUNE_WEBHOOK_URL",
    metavar="URL",
    help="Tell this address when the job has ended, as OpenAI's webhooks do.",
)
code_option = click.option(
    "--allow-code", is_flag=True, help="Let graders run Python from the recipe on this machine."
)
locked_option = click.option(
    "--locked", is_flag=True, help="Fail with 6 if anything differs from the lockfile; hash everything again."
)
# Whether a file can be read is told by whoever reads it: what a file lacks is no mistake in the command line.
FILE = click.Path(path_type=Path, readable=False)
recipe_argument = click.argument("recipe", required=False, type=FILE)
LOCK_SUFFIX = ".lock.yaml"
recipes_argument = click.argument("recipes", metavar="[RECIPES]...", nargs=-1, type=FILE)


def provider_option(command: Command) -> Command:
    """Which provider to ask about a job or model that no recipe here knows."""
    option = click.option(
        "--provider", default=None, help="The host entry to ask, for a job that no recipe here knows."
    )
    return option(allow_host_option(command))


def host_option(command: Command) -> Command:
    """Which provider to ask."""
    option = click.option("--provider", default="local", show_default=True, help="The host entry to ask.")
    return option(allow_host_option(command))


def operator(**decisions: Any) -> Operator:
    """What the person at the keyboard decided: the options, and this process's environment."""
    return Operator(
        environment=os.environ,
        user_hosts=user_hosts(),
        hosts_allowed=hosts_allowed(),
        grants=granted(),
        say=tell,
        watch=_watch(),
        max_kept_bytes=max_kept_bytes(os.environ),
        **decisions,
    )


def _watch() -> BuildWatch:
    """Shows how far a build is, but to programs."""
    context = click.get_current_context(silent=True)
    if context is not None and context.params.get("as_json"):
        return UNWATCHED
    return BuildProgress(sys.stderr)


def write(text: str) -> None:
    """Write a result to stdout; what files are called cannot drive the terminal either."""
    emit(f"{neutralise(text)}\n")


def write_piece(text: str) -> None:
    """Write a part of a result to stdout as it comes."""
    emit(neutralise(text))


def write_json(data: Any) -> None:
    """Write a result to stdout as JSON."""
    text = json.dumps({"ok": True, **data}, ensure_ascii=False, indent=2, default=str)
    emit(neutral_json(text) + "\n")


def tell_if_cut(listed: Sequence[object], limit: int) -> bool:
    """Say so where a list, of which one more than `limit` was asked for, goes on; returns whether it does."""
    if len(listed) > limit:
        tell(f"There are more than these {limit}; --limit shows more.")
    return len(listed) > limit


def tell(text: str) -> None:
    """Write progress to stderr."""
    emit(f"{neutralise(text)}\n", err=True)


def terminal_width() -> int | None:
    """The columns of the terminal that results are written to; None where they go elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def is_interactive() -> bool:
    """Whether a question would reach a person."""
    return sys.stdin.isatty() and sys.stderr.isatty() and not os.environ.get("CI")


def find_recipe(recipe: Path | None, advice: str = "Name the one to use.") -> Path:
    """The recipe that was named, or the only one of the project. Raises UsageError with the advice."""
    if recipe is not None:
        return recipe
    recipes = find_recipes(())
    if len(recipes) == 1:
        return recipes[0]
    raise UsageError(f"found several recipes ({', '.join(map(str, recipes))}). {advice}")


def find_recipes(named: tuple[Path, ...]) -> list[Path]:
    """The recipes that were named, or all that lie here and in recipes/. Raises UsageError for none."""
    recipes = list(named) or [*recipes_in(Path()), *recipes_in(Path("recipes"))]
    if recipes:
        return recipes
    raise UsageError("found no recipe here or in recipes/. Name one, or write one with `finetune init DATA`.")


def is_recipe_name(subject: str) -> bool:
    """Whether an argument that may also be a job or a model names a recipe."""
    return subject.endswith((".yaml", ".yml")) or Path(subject).exists()


def is_lock(path: Path) -> bool:
    """Whether a path is that of a lockfile, by its name."""
    return path.name.endswith(LOCK_SUFFIX)


def without_locks(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """The paths that a pattern such as recipes/*.yaml gives, without the lockfiles beside the recipes."""
    return tuple(path for path in paths if not is_lock(path)) or paths


def recipes_in(folder: Path) -> list[Path]:
    """The files right in a folder that look like recipes, by name."""
    found = sorted(path for suffix in ("yaml", "yml") for path in folder.glob(f"*.{suffix}"))
    return [path for path in found if path.is_file() and _looks_like_recipe(path)]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A provider to ask, and the recipe, job and model that the command is about, where they are known."""

    provider: "Provider"
    host: Host
    project: Project
    loaded: LoadedRecipe | None = None
    job_id: str | None = None
    model: str | None = None

    def command(self, name: str, *options: str) -> str:
        """A command about the same job as it has to be typed, in backticks."""
        if self.loaded is not None:
            return self.loaded.command(name, *options)
        subject = [self.job_id] if self.job_id else []
        return command(name, *subject, *options, provider=self.host.name)


def find_target(
    subject: str | None,
    provider: str | None,
    profile: str,
    *,
    only: tuple[str, ...] = (),
    recipe_needed: bool = True,
    takes_alias: bool = False,
) -> Target:
    """Resolve a recipe path, a job ID or a model name to the provider it belongs to. Raises UsageError.

    A job ID or model name belongs to `provider`, or to the local service where none is given. Without
    `recipe_needed`, the command is about the provider, and a recipe may have any number of runs. A command
    that `takes_alias` may be given what the project's aliases.yaml says of a model and its provider.
    """
    decided = operator(profile=profile, only=only)
    is_recipe = subject is not None and is_recipe_name(subject)
    if is_recipe or (subject is None and provider is None and recipe_needed):
        recipe = find_recipe(Path(subject) if subject else None)
        return _recipe_target(recipe, decided, is_single=recipe_needed)
    if subject is not None and not recipe_needed:
        raise UsageError(f"found no recipe {subject}. Name a recipe, or a provider with --provider.")
    project = find_project(Path.cwd())
    model = subject
    if takes_alias and subject is not None:
        from runner.aliases import served_as

        provider, model = served_as(subject, provider, project, "local")
    host = find_host(provider or "local", decided.user_hosts, project)
    connected = _open(host, project, decided)
    return Target(provider=connected, host=host, project=project, job_id=subject, model=model)


def _recipe_target(recipe: Path, decided: Operator, *, is_single: bool) -> Target:
    from runner.lock.lockfile import read_lockfile

    loaded = load_recipe(recipe, decided.profile)
    loaded = single(loaded, decided.only) if is_single else loaded
    run = read_lockfile(loaded.lock_path).runs.get(loaded.run_key)
    job = run.job if run else None
    # The recipe may name another provider since; the job stays where it was started.
    name = job.provider if job else loaded.recipe.training.provider
    host = find_host(name, decided.user_hosts, loaded.project)
    return Target(
        provider=_open(host, loaded.project, decided),
        host=host,
        project=loaded.project,
        loaded=loaded,
        job_id=job.id if job else None,
        model=job.fine_tuned_model if job else None,
    )


def _open(host: Host, project: Project, decided: Operator) -> "Provider":
    from runner.providers.connect import open_provider

    provider = open_provider(
        host, project.make_state(), decided.environment, permission=decided.hosts_allowed
    )
    click.get_current_context().call_on_close(provider.close)
    return provider


def job_of(target: Target) -> str:
    """The job ID of a target. Raises RunnerError where the recipe has not been run, UsageError for no ID."""
    if target.job_id is None and target.loaded is not None:
        from runner.running.following import no_job

        raise no_job(target.loaded)
    if target.job_id is None:
        raise UsageError("expected the ID of a job or a recipe. `finetune jobs` lists the jobs.")
    return target.job_id


def _looks_like_recipe(path: Path) -> bool:
    if is_lock(path):
        return False
    text = path.read_text(encoding="utf-8", errors="replace")
    keys = re.findall(r"^(\w+):", text, flags=re.MULTILINE)
    # A base has no name of its own, and a recipe that extends one may leave the rest to it.
    return "version" in keys and ("extends" in keys or {"name", "sources", "training"} <= set(keys))
