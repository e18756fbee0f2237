"""The command that starts the processes of a job."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.errors import UsageError

PROCESSES_VARIABLE = "FINETUNE_PROCESSES"
LAUNCHER_VARIABLE = "FINETUNE_LAUNCHER"
# Files that launchers take; named from the folder where the operator is, and found from any other.
CONFIGURATIONS = (".yaml", ".yml", ".json", ".toml", ".ini")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """How many processes train a job together, and the words of the command that starts them.

    Without words, one process is started as it is and several by torchrun.
    """

    n_processes: int = 1
    words: tuple[str, ...] = ()

    def command(self, module: str, arguments: Sequence[str]) -> list[str]:
        """The whole command: a Python module with its arguments follows the words."""
        return [*(self.words or self._own_words()), "-m", module, *arguments]

    def _own_words(self) -> tuple[str, ...]:
        if self.n_processes == 1:
            return (sys.executable,)
        torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone")
        return (*torchrun, "--nproc-per-node", str(self.n_processes))


def read_launcher(n_processes: int | None, command: str | None, folder: Path) -> Launcher:
    """Read what the operator says; configuration files in `folder` may be named from there.

    Raises UsageError.
    """
    if command is None:
        return Launcher(n_processes=n_processes or 1)
    if n_processes is None:
        raise UsageError(
            "found a launcher, expected the number of processes that it starts too: one that starts fewer "
            f"does not say so. Add --processes, or set {PROCESSES_VARIABLE}."
        )
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(
            f"found the launcher {command!r}: {error}, expected words as in a shell. Change it."
        ) from error
    if not words:
        raise UsageError("found an empty launcher, expected a command such as torchrun. Leave it out.")
    return Launcher(n_processes=n_processes, words=tuple(_found_from(folder, word) for word in words))


def launcher_of(environment: Mapping[str, str], folder: Path) -> Launcher:
    """Read what the operator's environment says. Raises UsageError."""
    said = environment.get(PROCESSES_VARIABLE) or None
    if said is not None and not (said.isascii() and said.isdigit() and int(said) > 0):
        raise UsageError(f"{PROCESSES_VARIABLE}: found {said!r}, expected a whole number from 1. Change it.")
    command = environment.get(LAUNCHER_VARIABLE) or None
    return read_launcher(None if said is None else int(said), command, folder)


def _found_from(folder: Path, word: str) -> str:
    path = folder / word
    return str(path.resolve()) if path.suffix in CONFIGURATIONS and path.is_file() else word
