"""Sends a create exactly once: recorded before it is sent, looked up when its answer is lost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from runner.clock import Clock
from runner.errors import ProviderError
from runner.execution.jobs import AmbiguousJobError
from runner.execution.journal import Journal, Kind
from runner.providers.base import Job, OutcomeUnknownError, RemoteFile

Made = TypeVar("Made", Job, RemoteFile)


@dataclass(frozen=True, kw_only=True)
class Lookup(Generic[Made]):
    """How the result of one create is found again; `delays` are the seconds before each further look."""

    kind: Kind
    key: str
    look: Callable[[], Made | None]
    journal: Journal
    clock: Clock
    delays: tuple[float, ...]

    @property
    def is_open(self) -> bool:
        """Whether the create was about to be sent and its outcome is not known."""
        return self.journal.outcome(self.kind, self.key) == "unknown"

    def remember(self, made: Made) -> Made:
        """Record what the create made, if that is new."""
        if self.journal.outcome(self.kind, self.key) != made.id:
            self.journal.done(self.kind, self.key, made.id)
        return made


def found_before(lookup: Lookup[Made]) -> Made | None:
    """What an earlier run or another machine made; looked for repeatedly after an unknown outcome."""
    found = lookup.look()
    if found is None and lookup.is_open:
        found = _found_repeatedly(lookup)
    return None if found is None else lookup.remember(found)


def sent(lookup: Lookup[Made], send: Callable[[], Made], refuse: Callable[[], None]) -> Made:
    """Send a create; sent a second time only when every look for the first was answered and found nothing.

    `refuse` may raise before anything is sent after an unknown outcome. Raises OutcomeUnknownError when it
    stays unknown; the journal then makes the next run look first.
    """
    try:
        return _recorded(lookup, send, refuse)
    except OutcomeUnknownError as error:
        found = _found_after(lookup, error)
    if found is not None:
        return lookup.remember(found)
    try:
        return _recorded(lookup, send, refuse)
    except OutcomeUnknownError as error:
        found = _found_after(lookup, error)
        if found is None:
            raise
        return lookup.remember(found)


def _recorded(lookup: Lookup[Made], send: Callable[[], Made], refuse: Callable[[], None]) -> Made:
    if lookup.is_open:
        refuse()
    lookup.journal.intend(lookup.kind, lookup.key)
    try:
        made = send()
    except OutcomeUnknownError:
        raise
    except ProviderError:
        lookup.journal.refused(lookup.kind, lookup.key)
        raise
    return lookup.remember(made)


def _found_after(lookup: Lookup[Made], error: OutcomeUnknownError) -> Made | None:
    """What a create without an answer made; a look that fails leaves the outcome unknown."""
    try:
        return _found_repeatedly(lookup)
    except AmbiguousJobError:
        raise
    except ProviderError as lost:
        raise error from lost


def _found_repeatedly(lookup: Lookup[Made]) -> Made | None:
    for delay_s in lookup.delays:
        lookup.clock.sleep(delay_s)
        found = lookup.look()
        if found is not None:
            return found
    return None
