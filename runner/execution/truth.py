"""Refuses what a provider made when it says that it is another thing than was asked for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runner.display import shown
from runner.errors import ProviderError
from runner.execution.files import SoughtFile
from runner.hints import command
from runner.providers.base import UPLOAD_PURPOSE, Job, JobRequest, NotFoundError, Provider, RemoteFile
from runner.recipe.model import AUTO

# Hosts take a family's name and answer with the dated model that it stands for; hub models with the commit.
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}|@[0-9a-f]{40}")
_SHOWN_CHARACTERS = 100


class OtherThanAskedError(ProviderError):
    """The provider has another file or job than was sent; nothing is built on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A value as it was sent and as the provider tells it."""

    name: str
    sent: object
    told: object

    def __str__(self) -> str:
        told, sent = (shown(value, limit=_SHOWN_CHARACTERS) for value in (self.told, self.sent))
        return f"{self.name} is {told}, sent was {sent}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A provider whose word is compared; `restates` names what this host words anew without harm."""

    provider: Provider
    host: str
    restates: tuple[str, ...] = ()

    def refuse_other_file(self, remote: RemoteFile, sought: SoughtFile) -> None:
        """Raise OtherThanAskedError for a stored file that is not the one that was built.

        Its content is compared where the host gives it back.
        """
        wrong = self._harmful(_file_differences(remote, sought))
        if not wrong and "content" not in self.restates:
            digest = self.provider.file_sha256(remote.id)
            if digest not in (None, sought.file.sha256):
                wrong = [Difference(name="the content's sha256", sent=sought.file.sha256, told=digest)]
        if wrong:
            raise OtherThanAskedError(
                f"{self.host}: {remote.id} is not the file that was sent: {_listed(wrong)}. "
                "No job was started from it. Check the provider; "
                f"{command('files delete', remote.id, provider=self.host)} removes the file."
            )

    def refuse_other_job(self, job: Job, asked: JobRequest, files: Mapping[str, SoughtFile]) -> None:
        """Raise OtherThanAskedError for a job that trains something else. It is not cancelled on a guess.

        `files` are those of the run by role. Another process, or another recipe of the same content, may have
        sent them under other IDs, so a job that was found is judged by what their names tell; its request has
        no ID of a training file then.
        """
        wrong = self._wrong_with(job, asked, files)
        if wrong:
            raise OtherThanAskedError(
                f"{self.host}: {job.id} is not the job that was asked for: {_listed(wrong)}. "
                f"It may cost money: {command('cancel', job.id, provider=self.host)} stops it. "
                f"Nothing more was sent. If {self.host} only words it otherwise, its host entry can say so "
                "under `restates`."
            )

    def refuse_other_result(
        self, job: Job, asked: JobRequest, files: Mapping[str, SoughtFile], watch: str
    ) -> None:
        """Raise OtherThanAskedError for a job that succeeded and by now says that it trained something else.

        `watch` is the command that locks its result.
        """
        wrong = self._wrong_with(job, asked, files)
        if wrong:
            raise OtherThanAskedError(
                f"{self.host}: {job.id} succeeded, but is not the job that was asked for: {_listed(wrong)}. "
                f"Its result was not locked. If {self.host} only words it otherwise, its host entry can say "
                f"so under `restates`; {watch} then locks the result."
            )

    def _wrong_with(self, job: Job, asked: JobRequest, files: Mapping[str, SoughtFile]) -> list[Difference]:
        return self._harmful((*_job_differences(job, asked), *self._other_files(job, asked, files)))

    def _other_files(
        self, job: Job, asked: JobRequest, files: Mapping[str, SoughtFile]
    ) -> Iterator[Difference]:
        for role in ("training_file", "validation_file"):
            sent, told, sought = getattr(asked, role), getattr(job, role), files.get(role)
            if not told or told == sent:
                continue
            try:
                remote = self.provider.retrieve_file(told) if sought else None
            except NotFoundError:
                # A job that was found may have read its file long ago, and files may be deleted then.
                if not asked.training_file:
                    continue
                remote = None
            if sought is None or remote is None or not sought.is_by_content(remote):
                name = f"{told} ({remote.filename})" if remote else told
                yield Difference(name=role, sent=sent or (sought.filename if sought else None), told=name)

    def _harmful(self, differences: Iterator[Difference] | tuple[Difference, ...]) -> list[Difference]:
        return [item for item in differences if item.name.split(".")[0] not in self.restates]


def _file_differences(remote: RemoteFile, sought: SoughtFile) -> Iterator[Difference]:
    if remote.filename != sought.filename:
        yield Difference(name="filename", sent=sought.filename, told=remote.filename)
    if remote.size_bytes != sought.file.size_bytes:
        yield Difference(name="bytes", sent=sought.file.size_bytes, told=remote.size_bytes)
    if remote.purpose not in ("", UPLOAD_PURPOSE):
        yield Difference(name="purpose", sent=UPLOAD_PURPOSE, told=remote.purpose)


def _job_differences(job: Job, asked: JobRequest) -> Iterator[Difference]:
    """What a job says of itself that was not asked for; what it does not say is no difference."""
    if job.model and _SNAPSHOT.sub("", job.model) != _SNAPSHOT.sub("", asked.model):
        yield Difference(name="model", sent=asked.model, told=job.model)
    if job.method not in (None, asked.method):
        yield Difference(name="method", sent=asked.method, told=job.method)
    if job.seed not in (None, asked.seed):
        yield Difference(name="seed", sent=asked.seed, told=job.seed)
    for name, sent in asked.hyperparameters.items():
        told = job.hyperparameters.get(name)
        if AUTO not in (sent, told) and told is not None and not _is_equal(sent, told):
            yield Difference(name=f"hyperparameters.{name}", sent=sent, told=told)


def _is_equal(sent: object, told: object) -> bool:
    """Whether two values are the same; hosts may write a number as text."""
    try:
        return sent == told or float(str(sent)) == float(str(told))
    except ValueError:
        return False


def _listed(differences: list[Difference]) -> str:
    return "; ".join(map(str, differences))
