"""Asks a provider whether what the lockfile names is still there and still the same."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Literal

from runner.lock.lockfile import LockedFile, LockedJob, LockedRun
from runner.operator import Operator, today_of
from runner.price import retirement
from runner.providers.base import BareNotFoundError, NotFoundError, NotOfferedError, Provider
from runner.providers.hosts import Host, HostModel, find_host
from runner.recipe.load import LoadedRecipe
from runner.running.state import provider_of

State = Literal["there", "wrong", "not offered", "not asked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCheck:
    """One thing of the lockfile as its provider sees it; `wrong` ones say what to do."""

    name: str
    state: State
    detail: str = ""

    def __str__(self) -> str:
        if self.state == "wrong":
            return f"{self.name}: {self.detail}"
        return f"{self.name}: {self.state}" + (f" ({self.detail})" if self.detail else "")


def check_remote(loaded: LoadedRecipe, run: LockedRun, operator: Operator) -> list[RemoteCheck]:
    """The locked files, job and model at their provider. Raises ProviderError when it cannot be reached.

    Nothing is asked without the key of the provider, which is then said.
    """
    if run.job is None:
        raise AssertionError("BUG: nothing to ask for")
    host = find_host(run.job.provider, operator.user_hosts, loaded.project)
    if not host.is_local and not operator.environment.get(host.key_variable):
        reason = f"the environment variable {host.key_variable} is not set"
        return [RemoteCheck(name=host.name, state="not asked", detail=reason)]
    with closing(provider_of(host, loaded.project, operator)) as provider:
        asked = _Asked(loaded=loaded, host=host, provider=provider, today=today_of(operator))
        return list(asked.checks(run, run.job))


@dataclass(frozen=True, kw_only=True)
class _Asked:
    loaded: LoadedRecipe
    host: Host
    provider: Provider
    today: date

    def checks(self, run: LockedRun, job: LockedJob) -> Iterator[RemoteCheck]:
        files = (("training_file", run.training_file), ("validation_file", run.validation_file))
        for role, locked in files:
            if locked is not None:
                yield self._file(role, locked)
        again = f"is gone. {self.loaded.command('rerun')} makes it again."
        yield self._check(f"job {job.id}", lambda: self._job(job), again)
        model = job.fine_tuned_model
        if model is not None:
            yield self._check(f"model {model}", lambda: self._model(model, job.model), again)

    def _check(self, what: str, look: Callable[[], tuple[State, str]], gone: str) -> RemoteCheck:
        name = f"{self.host.name}: {what}"
        try:
            state, detail = look()
        except (BareNotFoundError, NotOfferedError):
            return RemoteCheck(name=name, state="not offered")
        except NotFoundError:
            return RemoteCheck(name=name, state="wrong", detail=gone)
        return RemoteCheck(name=name, state=state, detail=detail)

    def _file(self, role: str, locked: LockedFile) -> RemoteCheck:
        file_id = locked.file_id
        if file_id is None:
            name, detail = f"{self.host.name}: {role}", "the lockfile has no ID of it"
            return RemoteCheck(name=name, state="not asked", detail=detail)
        refresh = self.loaded.command("refresh")
        gone = f"is gone. {refresh} takes it out of the lockfile, and a later run sends it again."
        return self._check(f"{role} {file_id}", lambda: self._stored(locked, file_id), gone)

    def _stored(self, locked: LockedFile, file_id: str) -> tuple[State, str]:
        remote = self.provider.retrieve_file(file_id)
        size, mark = locked.file.size_bytes, locked.filename or locked.file.sha256[:16]
        if remote.size_bytes == size and mark in remote.filename:
            return "there", f"{remote.size_bytes:,} bytes, {remote.filename}"
        return "wrong", (
            f"has {remote.size_bytes:,} bytes and the name {remote.filename}, expected {size:,} bytes and a "
            f"name with {mark}: it is another file now. The next run that needs it sends the right one."
        )

    def _job(self, locked: LockedJob) -> tuple[State, str]:
        now = self.provider.retrieve_job(locked.id)
        pairs = (
            ("status", locked.status, now.status),
            ("model", locked.fine_tuned_model, now.fine_tuned_model),
        )
        moved = [f"the {name} {new}, locked is {old}" for name, old, new in pairs if old != new]
        if moved:
            return "wrong", f"has {', '.join(moved)}. {self.loaded.command('refresh')} locks what it is now."
        return "there", now.status

    def _model(self, name: str, base: str) -> tuple[State, str]:
        """A model, and when it or its base is shut down: hosts tell that, or their entry does."""
        told = _day(self.provider.retrieve_model(name).shutdown_date)
        known = self.host.model(base)
        closing = HostModel(name=name, shutdown_date=told) if told else known
        if closing is not None and closing.shutdown_date is not None and closing.shutdown_date < self.today:
            return "wrong", f"{retirement(closing, self.today)}. Train the recipe on another model."
        return "there", retirement(closing, self.today) or ""


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
