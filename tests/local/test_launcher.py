"""The command that starts the processes of a job."""

import sys
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.local.launcher import Launcher, launcher_of, read_launcher


def test_one_process_is_started_as_it_is() -> None:
    assert [sys.executable, "-m", "worker", "--job", "1"] == Launcher().command("worker", ["--job", "1"])


def test_several_processes_are_started_by_torchrun() -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]

    assert [*torchrun, "-m", "worker"] == Launcher(n_processes=2).command("worker", [])


def test_the_operators_command_comes_before_the_worker(tmp_path: Path) -> None:
    """A configuration file is named from where the operator is; other words stay as they are."""
    (tmp_path / "fsdp.yaml").touch()
    (tmp_path / "launch").touch()
    launcher = read_launcher(8, "accelerate launch --config_file fsdp.yaml --tee 'a b'", tmp_path)
    expected = ["accelerate", "launch", "--config_file", str(tmp_path / "fsdp.yaml"), "--tee", "a b"]

    assert [*expected, "-m", "worker", "--job", "1"] == launcher.command("worker", ["--job", "1"])


@pytest.mark.parametrize(
    ("n_processes", "command", "expected"),
    [
        (
            None,
            "torchrun",
            "found a launcher, expected the number of processes that it starts too: one that starts fewer "
            "does not say so. Add --processes, or set FINETUNE_PROCESSES.",
        ),
        (2, " ", "found an empty launcher, expected a command such as torchrun. Leave it out."),
        (
            2,
            "torchrun 'a",
            'found the launcher "torchrun \'a": No closing quotation, expected words as in a shell. '
            "Change it.",
        ),
    ],
)
def test_a_launcher_that_cannot_be_meant_is_refused(
    tmp_path: Path, n_processes: int | None, command: str, expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read_launcher(n_processes, command, tmp_path)

    assert expected == str(caught.value)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Launcher()),
        ({"FINETUNE_PROCESSES": "", "FINETUNE_LAUNCHER": ""}, Launcher()),
        ({"FINETUNE_PROCESSES": "2"}, Launcher(n_processes=2)),
        (
            {"FINETUNE_PROCESSES": "4", "FINETUNE_LAUNCHER": "torchrun --nproc-per-node 4"},
            Launcher(n_processes=4, words=("torchrun", "--nproc-per-node", "4")),
        ),
    ],
)
def test_the_environment_names_a_launcher(
    tmp_path: Path, environment: dict[str, str], expected: Launcher
) -> None:
    assert expected == launcher_of(environment, tmp_path)


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5", "²"])
def test_a_number_that_is_none_is_refused(tmp_path: Path, number: str) -> None:
    with pytest.raises(UsageError) as caught:
        launcher_of({"FINETUNE_PROCESSES": number}, tmp_path)

    expected = f"FINETUNE_PROCESSES: found {number!r}, expected a whole number from 1. Change it."
    assert expected == str(caught.value)
