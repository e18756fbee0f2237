"""Says how to have here what another machine trained."""

from collections.abc import Iterator
from contextlib import contextmanager

from runner.cli.options import Target
from runner.errors import ProviderError, RunnerError


@contextmanager
def here(target: Target) -> Iterator[None]:
    """Ask a target's provider about its locked job. Raises RunnerError where only another machine has it."""
    try:
        yield
    except ProviderError as error:
        from runner.providers.base import NotFoundError

        if target.loaded is None or not target.host.is_local or not isinstance(error, NotFoundError):
            raise
        raise RunnerError(
            f"{target.job_id} is not on this machine; {target.command('run')} trains it here."
        ) from error
