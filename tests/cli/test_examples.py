"""The command lines that help pages end with."""

import shlex

import click
import pytest

from runner.cli.commands import COMMANDS
from runner.cli.examples import EXAMPLES
from runner.cli.main import finetune
from tests.cli.conftest import Call


def read(command: click.Command, name: str, words: list[str]) -> None:
    """Read a command line as typed, and do nothing. Raises click.UsageError."""
    if isinstance(command, click.Group) and words[0] in command.commands:
        name, *words = words
        command = command.commands[name]
    command.make_context(name, words)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_can_be_typed(name: str) -> None:
    """Its options are those of the command."""
    command = finetune.get_command(click.Context(finetune), name)
    assert command is not None
    for example in EXAMPLES[name]:
        said, *words = shlex.split(example.split(" < ")[0].split(" > ")[0])

        assert name == said
        read(command, name, words)


def test_help_ends_with_examples(call: Call) -> None:
    assert call("explain", "--help").out.endswith(
        "\n\n  Examples:\n    finetune explain\n    finetune explain FT108\n"
    )


def test_examples_fit_a_terminal() -> None:
    lines = [f"    finetune {line}" for listed in EXAMPLES.values() for line in listed]

    assert [] == [line for line in lines if len(line) > 80]
    assert list(COMMANDS) == list(EXAMPLES)
