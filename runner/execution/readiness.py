"""Waits, for a bounded time, until a provider has looked at an uploaded file."""

from collections.abc import Callable

from runner.clock import Clock
from runner.errors import ProviderError
from runner.hints import command
from runner.providers.base import FileNotReadyError, Job, Provider, RemoteFile

# What hosts call a file that they have not looked at yet. Some hosts leave it so for ever, and others have no
# status at all: after the last delay a job is simply tried.
UNREAD = ("uploaded", "pending", "queued", "running", "processing")
# Seconds before each further look at a file, and before each further try to create its job.
FILE_DELAYS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
JOB_DELAYS = (15.0, 30.0, 60.0, 60.0, 120.0)


def wait_for_file(
    provider: Provider, host: str, file: RemoteFile, clock: Clock, say: Callable[[str], None]
) -> None:
    """Wait while a host says that it still looks at a file. Raises ProviderError when it refused it."""
    for delay_s in (*FILE_DELAYS, None):
        if file.status == "error":
            raise ProviderError(
                f"{host} could not read {file.filename} ({file.id} has the status 'error'). "
                f"Delete it with {command('files delete', file.id, provider=host)} and run again."
            )
        if file.status not in UNREAD or delay_s is None:
            return
        if delay_s == FILE_DELAYS[0]:
            say(f"Waiting for {host} to read {file.filename} (status '{file.status}')")
        clock.sleep(delay_s)
        file = provider.retrieve_file(file.id)


def created_when_ready(create: Callable[[], Job], clock: Clock, say: Callable[[str], None]) -> Job:
    """Create a job, again after a while where the provider was still reading its file.

    Raises FileNotReadyError when that does not end.
    """
    for delay_s in JOB_DELAYS:
        try:
            return create()
        except FileNotReadyError as error:
            say(f"{error}; trying again in {delay_s:g} s")
            clock.sleep(delay_s)
    try:
        return create()
    except FileNotReadyError as error:
        raise FileNotReadyError(
            f"{error}\nNo job was created in {sum(JOB_DELAYS) / 60:.0f} minutes of waiting. The file stays "
            "uploaded: the same command, later, goes on from here."
        ) from error
