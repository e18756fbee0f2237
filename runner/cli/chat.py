"""The chat command: one question, or a conversation."""

import sys
from collections.abc import Iterable

import click

from runner.cli.options import (
    Target,
    find_target,
    json_option,
    profile_option,
    provider_option,
    tell,
    write,
    write_json,
)
from runner.display import neutralise
from runner.errors import UsageError
from runner.providers.base import ChatRequest


@click.command()
@click.argument("subject", metavar="[RECIPE|MODEL]", required=False)
@click.argument("question", required=False)
@profile_option
@provider_option
@click.option("--system", help="A system message before the question.")
@click.option(
    "--temperature", default=0.0, show_default=True, type=click.FloatRange(0, 2), help="0 is greedy."
)
@click.option("--max-tokens", type=click.IntRange(1), help="Stop after this many tokens.")
@json_option
def chat(
    subject: str | None,
    question: str | None,
    *,
    profile: str,
    provider: str | None,
    system: str | None,
    temperature: float,
    max_tokens: int | None,
    as_json: bool,
) -> None:
    """Ask the recipe's tuned model, or any model of the provider. Without a question: a conversation."""
    target = find_target(subject, provider, profile)
    model = _model_of(target)
    history = [{"role": "system", "content": system}] if system else []
    limits = {"temperature": temperature, "max_tokens": max_tokens}

    def ask(text: str, *, quiet: bool = False) -> str:
        history.append({"role": "user", "content": text})
        request = ChatRequest(model=model, messages=tuple(history), **limits)  # type: ignore[arg-type]
        answer = _streamed(target.provider.chat(request), quiet=quiet)
        history.append({"role": "assistant", "content": answer})
        return answer

    if question is not None:
        answer = ask(question, quiet=as_json)
        if as_json:
            write_json({"model": model, "answer": answer})
    elif not sys.stdin.isatty():
        raise UsageError("give a question, or run it on a terminal for a conversation.")
    else:
        _converse(model, ask)


def _model_of(target: Target) -> str:
    if target.model is None and target.loaded is not None:
        raise UsageError(
            f"there is no tuned model under the profile '{target.loaded.profile}' yet. "
            f"{target.command('run')} makes one."
        )
    if target.model is None:
        raise UsageError("expected a model or a recipe. `finetune models list` lists the models.")
    return target.model


def _streamed(pieces: Iterable[str], *, quiet: bool) -> str:
    answer = []
    for piece in pieces:
        answer.append(piece)
        if not quiet:
            click.echo(neutralise(piece), nl=False)
    if not quiet:
        write("")
    return "".join(answer)


def _converse(model: str, ask: object) -> None:
    tell(f"{model}. Ctrl-D ends the conversation.")
    while True:
        try:
            text = input("> ").strip()
        except EOFError:
            tell("")
            return
        if text and callable(ask):
            ask(text)
