"""Turns messages into token ids with a model's chat template."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from jinja2.exceptions import TemplateError
from transformers.utils.chat_template_utils import render_jinja_template

from runner.local.training.messages import Message

Span = tuple[int, int]
Tools = Sequence[Mapping[str, Any]]

GENERATION_MARK = re.compile(r"\{%-?\s*generation\s*-?%\}")
# Llama's own default date. A template that prints today's date would train and answer differently every day.
FIXED_DATE = "{% macro strftime_now(format) %}26 Jul 2024{% endmacro %}"
# A reasoning model is trained and asked without its thinking, which the examples do not have.
TEMPLATE_OPTIONS: dict[str, Any] = {"enable_thinking": False}


class ConversationError(ValueError):
    """The model's chat template cannot express a conversation; the text says why."""


class InvalidTokenError(ConversationError):
    """A message spells out one of the tokenizer's special tokens."""

    def __init__(self, token: str) -> None:
        super().__init__(f"message contains an invalid token: {token}")
        self.token = token


@dataclass(frozen=True, slots=True)
class ControlTokens:
    """The tokens that text must never turn into; `pattern` matches any of them, the longest first."""

    by_id: dict[int, str]
    pattern: re.Pattern[str]


def render_conversation(
    tokenizer: Any, messages: Sequence[Message], tools: Tools = ()
) -> tuple[list[int], list[bool]]:
    """Tokenise a conversation; the mask is true on the tokens that the loss falls on.

    Those are the text of every assistant message of weight 1 with the token that ends its turn, and nothing
    of the headers around it. The tokens before an answer are the ones that `render_prompt` gives for the same
    messages. Raises InvalidTokenError and ConversationError, the latter also for tools that the template has
    no place for.
    """
    _refuse_control_tokens(tokenizer, messages)
    _refuse_control_text(tokenizer, json.dumps(list(tools), ensure_ascii=False))
    _refuse_lost_tools(tokenizer, tools)
    template = _chat_template(tokenizer)
    find_spans = _marked_spans if GENERATION_MARK.search(template) else _prefix_spans
    text, spans = find_spans(tokenizer, template, messages, tools)
    answers = [message for message in messages if message.role == "assistant"]
    if len(spans) != len(answers):
        raise ConversationError(f"the chat template marks {len(spans)} of {len(answers)} answers")
    trained = [
        _close_turn(tokenizer, text, span, answer)
        for span, answer in zip(spans, answers, strict=True)
        if answer.is_trained
    ]
    return _tokenise(tokenizer, text, trained)


def render_prompt(tokenizer: Any, messages: Sequence[Message], tools: Tools = ()) -> list[int]:
    """Tokenise a conversation up to where the model is to answer, with the tools that it may call.

    Raises as `render_conversation` does.
    """
    _refuse_control_tokens(tokenizer, messages)
    _refuse_control_text(tokenizer, json.dumps(list(tools), ensure_ascii=False))
    _refuse_lost_tools(tokenizer, tools)
    template = _chat_template(tokenizer)
    text, _ = _render(tokenizer, template, messages, is_prompt=True, tools=tools, **TEMPLATE_OPTIONS)
    return _encode(tokenizer, text)


def takes_tools(tokenizer: Any) -> bool:
    """Whether the chat template has a place for tools."""
    return re.search(r"\btools\b", _chat_template(tokenizer)) is not None


@lru_cache(maxsize=4)
def control_tokens(tokenizer: Any) -> ControlTokens:
    """Collect the tokenizer's special tokens; the one for unknown text is not among them."""
    added = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    tokens = sorted(added | set(tokenizer.all_special_tokens), key=lambda token: (-len(token), token))
    by_id = {tokenizer.convert_tokens_to_ids(token): token for token in tokens}
    by_id.pop(tokenizer.unk_token_id, None)
    # An empty alternative would match everywhere: a tokenizer without special tokens gets a pattern without
    # matches.
    return ControlTokens(by_id, re.compile("|".join(map(re.escape, tokens)) or "(?!)"))


def _refuse_control_tokens(tokenizer: Any, messages: Sequence[Message]) -> None:
    # Asked of the tokenizer rather than of the text, so that tokenizers that normalise first are covered too.
    for message in messages:
        _refuse_control_text(tokenizer, message.content)
        if message.tool_calls:
            _refuse_control_text(tokenizer, json.dumps(message.tool_calls, ensure_ascii=False))


def _refuse_control_text(tokenizer: Any, text: str) -> None:
    control = control_tokens(tokenizer).by_id
    for token_id in _encode(tokenizer, text):
        if token_id in control:
            raise InvalidTokenError(control[token_id])


def _refuse_lost_tools(tokenizer: Any, tools: Tools) -> None:
    if tools and not takes_tools(tokenizer):
        raise ConversationError("the chat template has no place for tools; choose a model made for them")


def _chat_template(tokenizer: Any) -> str:
    if not tokenizer.chat_template:
        raise ConversationError("the model has no chat template; choose one made for chat")
    template: str = tokenizer.get_chat_template()
    return FIXED_DATE + template if "strftime_now" in template else template


def _render(
    tokenizer: Any,
    template: str,
    messages: Sequence[Message],
    *,
    is_prompt: bool,
    tools: Tools = (),
    **options: bool,
) -> tuple[str, list[Span]]:
    """Render messages, alone or as the prompt for the next answer, with the spans the template marks."""
    try:
        texts, spans = render_jinja_template(
            conversations=[[message.for_template for message in messages]],
            tools=list(tools) or None,
            chat_template=template,
            return_assistant_tokens_mask=bool(GENERATION_MARK.search(template)),
            add_generation_prompt=is_prompt,
            **tokenizer.special_tokens_map,
            **options,
        )
    except TemplateError as error:
        if any(message.role == "developer" for message in messages):
            # Most templates were written before the role had this name.
            older = [_with_older_role(message) for message in messages]
            return _render(tokenizer, template, older, is_prompt=is_prompt, tools=tools, **options)
        raise ConversationError(f"the chat template refuses it: {error}") from error
    return texts[0], spans[0] if spans else []


def _with_older_role(message: Message) -> Message:
    return replace(message, role="system") if message.role == "developer" else message


def _marked_spans(
    tokenizer: Any, template: str, messages: Sequence[Message], tools: Tools
) -> tuple[str, list[Span]]:
    """Find the answers by the `{% generation %}` marks of a template."""
    return _render(tokenizer, template, messages, is_prompt=False, tools=tools, **TEMPLATE_OPTIONS)


def _prefix_spans(
    tokenizer: Any, template: str, messages: Sequence[Message], tools: Tools
) -> tuple[str, list[Span]]:
    """Find each answer as what follows the prompt for it."""
    text, _ = _render(tokenizer, template, messages, is_prompt=False, tools=tools, **TEMPLATE_OPTIONS)
    spans = [
        (_prompt_length(tokenizer, template, messages[:index], tools, text), len(text))
        for index, message in enumerate(messages)
        if message.role == "assistant"
    ]
    return text, spans


def _prompt_length(
    tokenizer: Any, template: str, messages: Sequence[Message], tools: Tools, text: str
) -> int:
    # Reasoning templates print an empty thought in the last prompt only: earlier answers follow the plain
    # prompt.
    plain: dict[str, Any] = {}
    for options in (TEMPLATE_OPTIONS, plain):
        prompt, _ = _render(tokenizer, template, messages, is_prompt=True, tools=tools, **options)
        if text.startswith(prompt):
            return len(prompt)
    raise ConversationError("the chat template writes a conversation differently from the prompts inside it")


def _close_turn(tokenizer: Any, text: str, span: Span, answer: Message) -> Span:
    """End a span after the token that ends the turn: the first control token, since messages hold none."""
    start, limit = span
    ending = control_tokens(tokenizer).pattern.search(text, start, limit)
    end = ending.end() if ending else limit
    if answer.content.strip() not in text[start:end]:
        raise ConversationError("the chat template changes the text of an assistant message")
    if not all(call["function"]["name"] in text[start:end] for call in answer.tool_calls):
        raise ConversationError("the chat template leaves out a call of a tool; choose a model made for them")
    return start, end


def _tokenise(tokenizer: Any, text: str, spans: Sequence[Span]) -> tuple[list[int], list[bool]]:
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids: list[int] = encoded["input_ids"]
    offsets: list[Span] = encoded["offset_mapping"]
    mask = [any(start <= first < end for start, end in spans) for first, _ in offsets]
    for start, _ in spans:
        n_before = sum(first < start for first, _ in offsets)
        if ids[:n_before] != _encode(tokenizer, text[:start]):
            return _tokenise_pieces(tokenizer, text, spans)
    return ids, mask


def _tokenise_pieces(tokenizer: Any, text: str, spans: Sequence[Span]) -> tuple[list[int], list[bool]]:
    """Tokenise prompts and answers apart, for text whose tokens would merge across their border."""
    ids: list[int] = []
    mask: list[bool] = []
    position = 0
    for start, end in [*spans, (len(text), len(text))]:
        for piece, is_answer in ((text[position:start], False), (text[start:end], True)):
            piece_ids = _encode(tokenizer, piece)
            ids += piece_ids
            mask += [is_answer] * len(piece_ids)
        position = end
    return ids, mask


def _encode(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
