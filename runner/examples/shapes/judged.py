"""Prompts with answers beside them: a better and a worse one (DPO), a judged one (KTO), or just one."""

import re
from typing import Any

from runner.display import shown
from runner.examples.shapes.chats import CONVERSATIONS, read_messages
from runner.examples.shapes.instructions import alpaca_prompt
from runner.examples.shapes.messages import read_tools
from runner.examples.shapes.shaped import (
    Columns,
    Message,
    Roles,
    Shaped,
    ShapeError,
    first_column,
    list_of,
    missing,
    said,
    text_of,
    unpacked,
    with_system,
)

CHOSEN = ("chosen", "preferred_output", "chosen_messages", "chosen_response")
REJECTED = ("rejected", "non_preferred_output", "rejected_messages", "rejected_response")
LABELS = ("label", "kto_tag")
COMPLETIONS = ("completion", "output", "response")
_QUESTIONS = ("prompt", "question")
# https://huggingface.co/datasets/Anthropic/hh-rlhf (2026-11)
_DIALOGUE = re.compile(r"\n\n(Human|Assistant):(.*?)(?=\n\n(?:Human|Assistant):|\Z)", re.DOTALL)
_SPOKEN_BY = {"Human": "user", "Assistant": "assistant"}
_YES, _NO = ("true", "1", "yes"), ("false", "0", "no")


def read_dpo(columns: Columns, roles: Roles) -> Shaped:
    """A prompt with `chosen` and `rejected`, each a text, a message or messages. Raises ShapeError.

    Messages may repeat the prompt, or hold it alone: then it is what both begin with. OpenAI's `input`,
    `preferred_output` and `non_preferred_output` are read too.
    """
    answers = []
    for names, what in ((CHOSEN, "the better answer"), (REJECTED, "the worse answer")):
        name = first_column(columns, names)
        if name is None:
            raise missing(columns, [names[0]], what)
        answers.append(_answer(columns[name], name, roles))
    chosen, rejected = answers
    prompt, tools = _prompt(columns, roles)
    if not prompt:
        prompt = _shared(chosen, rejected)
        if not prompt:
            raise missing(columns, ["prompt"], "what both answer")
    return Shaped(
        messages=with_system(columns, [_without_weight(message) for message in prompt]),
        tools=tools,
        preferred=_after(prompt, chosen),
        rejected=_after(prompt, rejected),
    )


def read_completion(columns: Columns, roles: Roles) -> Shaped:
    """A prompt and a `completion`, each a text or messages, as OpenAI's older files and TRL's have them.

    Raises ShapeError.
    """
    prompt, tools = _prompt(columns, roles)
    answer = _answer(columns["completion"], "completion", roles)
    return Shaped(messages=[*with_system(columns, prompt), *_after(prompt, answer)], tools=tools)


def read_kto(columns: Columns, roles: Roles) -> Shaped:
    """A prompt, a `completion` and whether it is wanted, its `label`; or a conversation with a label.

    Raises ShapeError.
    """
    label = first_column(columns, LABELS)
    if label is None:
        raise missing(columns, ["label"], "true or false")
    wanted = _truth(columns[label], label)
    prompt, tools = _prompt(columns, roles)
    name = first_column(columns, COMPLETIONS)
    if name is not None:
        answer = _answer(columns[name], name, roles)
    elif prompt and prompt[-1]["role"] == "assistant":
        prompt, answer = prompt[:-1], prompt[-1:]
    else:
        raise missing(columns, ["completion"], "the answer that was judged")
    if not prompt:
        raise missing(columns, ["prompt"], "what is answered")
    return Shaped(
        messages=with_system(columns, prompt), tools=tools, preferred=_after(prompt, answer), wanted=wanted
    )


def _prompt(columns: Columns, roles: Roles) -> tuple[list[Message], list[Any] | None]:
    """What is answered, with its tools; nothing where the record says it in its answers alone."""
    tools = read_tools(columns.get("tools"))
    given = unpacked(columns.get("input"))
    if isinstance(given, dict):
        messages = read_messages(list_of(given, "messages", "a list of messages"), "input", roles)
        return messages, read_tools(given.get("tools")) or tools
    name = first_column(columns, (*_QUESTIONS, *CONVERSATIONS))
    if name is not None:
        value = unpacked(columns[name])
        if isinstance(value, list):
            return read_messages(value, name, roles), tools
        text = text_of(columns, name)
        return _dialogue(text) or [said("user", text)], tools
    return (alpaca_prompt(columns) if columns.get("instruction") is not None else []), tools


def _answer(value: Any, name: str, roles: Roles) -> list[Message]:
    value = unpacked(value)
    if isinstance(value, str):
        return _dialogue(value) or [said("assistant", value)]
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise ShapeError(
            f"found {shown(value)} under {shown(name)}, expected text or messages. Repair the data."
        )
    return read_messages(value, name, roles)


def _dialogue(text: str) -> list[Message]:
    if not text.startswith("\n\nHuman:"):
        return []
    turns = [(speaker, content.strip()) for speaker, content in _DIALOGUE.findall(text)]
    # A prompt ends with the name of the one who is to answer.
    while turns and turns[-1] == ("Assistant", ""):
        turns.pop()
    return [said(_SPOKEN_BY[speaker], content) for speaker, content in turns]


def _shared(first: list[Message], second: list[Message]) -> list[Message]:
    """What two conversations begin with, up to what they answer differently."""
    shared = []
    for one, other in zip(first[:-1], second[:-1], strict=False):
        if one != other:
            break
        shared.append(one)
    return shared


def _after(prompt: list[Message], answer: list[Message]) -> list[Message]:
    """The messages of an answer without the prompt that it may repeat."""
    rest = answer[len(prompt) :] if answer[: len(prompt)] == prompt else answer
    return [_without_weight(message) for message in rest]


def _without_weight(message: Message) -> Message:
    """Which part is trained follows from the method here."""
    return {name: value for name, value in message.items() if name != "weight"}


def _truth(value: Any, name: str) -> bool:
    text = str(value).strip().lower()
    if text not in (*_YES, *_NO):
        raise ShapeError(
            f"found {shown(value)} under {shown(name)}, expected true or false. Repair the data."
        )
    return text in _YES
