"""The errors a user can meet, each with the exit code of docs/reference/exit-codes.md."""

from collections.abc import Iterable, Sequence

from runner.issues import Issue


class RunnerError(Exception):
    """Something the user's recipe, data or provider got wrong; the message is the whole explanation."""

    exit_code = 1


class InvalidInputError(RunnerError):
    """One or more problems in a recipe or its data, all found in one pass."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.issues = tuple(issues)
        super().__init__("\n".join(str(issue) for issue in self.issues))


class UnknownProfileError(RunnerError):
    """A recipe or lockfile has nothing under the profile that was asked for, but under the `known` ones."""

    def __init__(self, message: str, known: Iterable[str]) -> None:
        self.known = tuple(known)
        super().__init__(message)


class UsageError(RunnerError):
    """The command line asks for something that cannot be done."""

    exit_code = 2


class ProviderError(RunnerError):
    """A provider refused a request or could not be reached."""


class MissingExtraError(RunnerError):
    """A feature needs packages that the core install leaves out."""


class JobFailedError(RunnerError):
    """The fine-tuning job ended as failed or cancelled."""

    exit_code = 4


class StaleLockError(RunnerError):
    """The lockfile cannot be used as it is."""

    exit_code = 6


class GateError(RunnerError):
    """A gate of the evaluation did not let the model pass."""

    exit_code = 7


class OverBudgetError(RunnerError):
    """The price is above the budget, or is unknown."""

    exit_code = 8


class DetachedError(RunnerError):
    """The user stopped watching; the job goes on."""

    exit_code = 130
