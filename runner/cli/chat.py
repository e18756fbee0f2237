"""The chat command: one question, or a conversation."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import click

from runner.cli.elsewhere import here
from runner.cli.options import (
    Target,
    find_target,
    json_option,
    only_option,
    profile_option,
    provider_option,
    tell,
    write,
    write_json,
    write_piece,
)
from runner.dataset.tokens import ESTIMATE_MARGIN, SMALL_VOCABULARY_MARGIN, EstimatedTokens
from runner.errors import ProviderError, RunnerError, UsageError
from runner.examples.read import Message
from runner.providers.base import ChatRequest
from runner.providers.hosts import HostModel

# How much of a model's context is kept free for an answer whose length is not limited.
ANSWER_SHARE = 0.25


@click.command()
@click.argument("subject", metavar="[RECIPE|MODEL|ALIAS]", required=False)
@click.argument("question", required=False)
@profile_option
@only_option
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
    only: tuple[str, ...],
    provider: str | None,
    system: str | None,
    temperature: float,
    max_tokens: int | None,
    as_json: bool,
) -> None:
    """Ask the recipe's tuned model, any model of the provider, or what an alias of the project stands for.

    Without a question: a conversation.
    """
    if question is None and not sys.stdin.isatty():
        raise UsageError("give a question, or run it on a terminal for a conversation.")
    target = find_target(subject, provider, profile, only=only, takes_alias=True)
    model = _model_of(target)
    history = History(system=system, budget=_budget(target, model, max_tokens))

    def ask(text: str, *, quiet: bool = False) -> str:
        messages = history.with_question(text)
        request = ChatRequest(model=model, messages=messages, temperature=temperature, max_tokens=max_tokens)
        with here(target):
            answer = _streamed(target.provider.chat(request), quiet=quiet)
        history.add(text, answer)
        return answer

    if question is None:
        _converse(model, ask)
        return
    answer = ask(question, quiet=as_json)
    if as_json:
        write_json({"model": model, "answer": answer})


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many tokens a conversation may have; `margin` is the relative error of the estimate."""

    tokens: int
    margin: float

    def holds(self, messages: Iterable[Mapping[str, str]]) -> bool:
        """Whether messages certainly fit."""
        counted = EstimatedTokens().count(Message(**message) for message in messages)
        return counted * (1 + self.margin) <= self.tokens


@dataclass
class History:
    """A conversation so far: whole turns, of which the oldest are left out when they no longer fit."""

    system: str | None
    budget: Budget | None
    turns: list[tuple[str, str]] = field(default_factory=list)
    has_dropped: bool = False

    def with_question(self, question: str) -> tuple[Mapping[str, str], ...]:
        """The messages of the next request; says once that older turns are left out."""
        while self.turns and self.budget and not self.budget.holds(self._messages(question)):
            del self.turns[0]
            if not self.has_dropped:
                tell("The conversation is longer than the model reads; its oldest turns are left out now.")
            self.has_dropped = True
        return self._messages(question)

    def add(self, question: str, answer: str) -> None:
        """Keep a turn that was answered."""
        self.turns.append((question, answer))

    def _messages(self, question: str) -> tuple[Mapping[str, str], ...]:
        spoken = [("system", self.system)] if self.system else []
        for asked, answered in self.turns:
            spoken += [("user", asked), ("assistant", answered)]
        return tuple({"role": role, "content": content} for role, content in [*spoken, ("user", question)])


def _model_of(target: Target) -> str:
    if target.model is None and target.loaded is not None:
        raise RunnerError(
            f"there is no tuned model under the profile '{target.loaded.run_key}' yet. "
            f"{target.command('run')} makes one."
        )
    if target.model is None:
        raise UsageError("expected a model or a recipe. `finetune models list` lists the models.")
    return target.model


def _budget(target: Target, model: str, max_tokens: int | None) -> Budget | None:
    """The tokens that the host entry gives the base of a model, None where it has none."""
    base = _base_of(target, model)
    if base is None or base.max_example_tokens is None:
        return None
    answer = max_tokens or int(base.max_example_tokens * ANSWER_SHARE)
    margin = SMALL_VOCABULARY_MARGIN if base.tokenizer else ESTIMATE_MARGIN
    return Budget(tokens=base.max_example_tokens - answer, margin=margin)


def _base_of(target: Target, model: str) -> HostModel | None:
    # A tuned model is called ft:<base>:<organisation>:<suffix>:<id>.
    return target.host.model(model.split(":")[1] if model.startswith("ft:") else model)


def _streamed(pieces: Iterable[str], *, quiet: bool) -> str:
    answer = []
    for piece in pieces:
        answer.append(piece)
        if not quiet:
            write_piece(piece)
    if not quiet:
        write("")
    return "".join(answer)


def _converse(model: str, ask: Callable[[str], str]) -> None:
    tell(f"{model}. Ctrl-D ends the conversation.")
    while True:
        try:
            text = input("> ").strip()
        except EOFError:
            tell("")
            return
        if not text:
            continue
        try:
            ask(text)
        except ProviderError as error:
            tell(f"\nerror: {error}\nThe conversation goes on without this question.")
