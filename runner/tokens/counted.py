"""A dataset file with its tokens, and what prevents counting them."""

from dataclasses import dataclass

from runner.dataset.value import DatasetFile
from runner.errors import RunnerError
from runner.tokens.blocks import Weighed
from runner.tokens.counters import Counter


class CountingError(RunnerError):
    """The tokens could not be counted; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A dataset file with its tokens by one counter."""

    file: DatasetFile
    counter: Counter
    weighed: Weighed
