"""Which base models of recipes are closed soon, and where else the recipes could train."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from runner.errors import RunnerError
from runner.lock.lockfile import read_lockfile
from runner.operator import Operator, today_of
from runner.providers.hosts import Host, find_host, host_names
from runner.providers.porting import Porting, port_training
from runner.recipe.load import LoadedRecipe, load_profiles

# What stands for a model that a person has to choose.
ANY_MODEL = "MODEL"
ELSEWHERE = {"local": "OWNER/NAME"}
NO_NEW_JOBS, SHUT_DOWN = "takes no new jobs from", "shuts down on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A day on which a base model of a recipe stops doing something; `ways` are ports to type.

    `run_name` says whether the recipe asks for the model, or its locked result was made of it.
    """

    run_name: str
    provider: str
    model: str
    what: str
    on: date
    days: int
    ways: tuple[str, ...] = ()

    def __str__(self) -> str:
        when = f"in {self.days} days" if self.days >= 0 else f"{-self.days} days ago"
        return f"{self.run_name}: {self.model} at {self.provider} {self.what} {self.on}, {when}"


def closings(paths: Iterable[Path], operator: Operator, within_days: int) -> list[Closing]:
    """The closings within some days, by date, of all profiles of recipes and of their locked results.

    From host entries alone; no provider is asked. Raises InvalidInputError, RunnerError.
    """
    today = today_of(operator)
    found = [closing for path in paths for closing in _of_recipe(path, operator, today)]
    soon = {closing for closing in found if closing.days <= within_days}
    return sorted(soon, key=lambda closing: (closing.on, closing.run_name, closing.model, closing.what))


def _of_recipe(path: Path, operator: Operator, today: date) -> Iterator[Closing]:
    profiles = load_profiles(path)
    for loaded in profiles.values():
        for each in (loaded, *loaded.combinations):
            yield from _of_run(each, operator, today)
    loaded = next(iter(profiles.values()))
    asked = {(each.recipe.training.provider, each.root_model) for each in profiles.values()}
    for name, run in read_lockfile(loaded.lock_path).runs.items():
        job = run.job
        if job is None or job.base is not None or (job.provider, job.model) in asked:
            continue
        host = find_host(job.provider, operator.user_hosts, loaded.project)
        locked = f"{loaded.lock_file} ({name})"
        made = _of_model(host, job.model, locked, today)
        # A model that is made needs no new job.
        yield from (closing for closing in made if closing.what == SHUT_DOWN)


def _of_run(loaded: LoadedRecipe, operator: Operator, today: date) -> Iterator[Closing]:
    host = find_host(loaded.recipe.training.provider, operator.user_hosts, loaded.project)
    ways = tuple(_ways(loaded, host, operator, today))
    yield from _of_model(host, loaded.root_model, loaded.run_name, today, ways)


def _of_model(
    host: Host, name: str, run_name: str, today: date, ways: tuple[str, ...] = ()
) -> Iterator[Closing]:
    model = host.model(name)
    days = {NO_NEW_JOBS: model.no_new_jobs_from, SHUT_DOWN: model.shutdown_date} if model else {}
    for what, on in days.items():
        if on is not None:
            yield Closing(
                run_name=run_name,
                provider=host.name,
                model=name,
                what=what,
                on=on,
                days=(on - today).days,
                ways=ways,
            )


def _ways(loaded: LoadedRecipe, source: Host, operator: Operator, today: date) -> Iterator[str]:
    """Where else a recipe could train, hosts that have its very model first; what `port` would keep there."""
    training = loaded.recipe.training
    found: list[tuple[bool, str, Porting]] = []
    for name in host_names(operator.user_hosts, loaded.project):
        if name == source.name:
            continue
        try:
            target = find_host(name, operator.user_hosts, loaded.project)
            is_same = target.model(loaded.root_model) is not None
            chosen = loaded.root_model if is_same else ELSEWHERE.get(name, ANY_MODEL)
            porting = port_training(training, source, target, chosen)
        except RunnerError:
            # An entry that is broken, or a host without the method, is no way out.
            continue
        if not _is_gone(target, chosen, today):
            found.append((not is_same, name, porting))
    for _, name, porting in sorted(found, key=lambda way: way[:2]):
        kept = [value.name for value in porting.values if value.state != "lost"]
        lost = [value.name for value in porting.values if value.state == "lost"]
        losing = f", loses {', '.join(lost)}" if lost else ""
        typed = loaded.command("port", "--to", name, *_model_option(loaded, porting))
        yield f"{typed} keeps {', '.join(kept)}{losing}{_until(porting)}"


def _model_option(loaded: LoadedRecipe, porting: Porting) -> tuple[str, ...]:
    return () if porting.model == loaded.root_model else ("--model", porting.model)


def _until(porting: Porting) -> str:
    model = porting.target.model(porting.model)
    ends = model.no_new_jobs_from or model.shutdown_date if model else None
    return f"; {porting.model} is trained there until {ends}" if ends else ""


def _is_gone(host: Host, name: str, today: date) -> bool:
    model = host.model(name)
    ends = model.no_new_jobs_from or model.shutdown_date if model else None
    return ends is not None and ends <= today
