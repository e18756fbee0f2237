"""Answers one chat request: every choice of it, with probabilities and tool calls."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from runner.local.training.chat_request import ChatRequest
from runner.local.training.conversation import render_prompt, takes_tools
from runner.local.training.generation import Finish, Piece, generate, make_generator
from runner.local.training.grammar import Grammar, make_grammar
from runner.local.training.models import LoadedModel
from runner.local.training.token_text import token_logprob
from runner.local.training.tool_calls import ToolCall, ToolCallFilter, forced_call, schema_of_call

Reply = dict[str, Any]


class UnsupportedRequestError(ValueError):
    """The model cannot do what was asked; the text says why."""


class Answerer:
    """One model at one request."""

    def __init__(self, loaded: LoadedModel, request: ChatRequest) -> None:
        if request.tools and not takes_tools(loaded.tokenizer):
            raise UnsupportedRequestError(
                f"The chat template of {request.base_model} has no place for tools; choose a model that was "
                "made for them, or send 'tool_choice': 'none'."
            )
        self._loaded = loaded
        self._request = request
        self._schema = schema_of_call(list(request.tools)) if request.must_call else request.schema

    def replies(self) -> Iterator[Reply]:
        """Give the replies of `runner.local.training.inference`, without the request's ID."""
        request, loaded = self._request, self._loaded
        prompt = render_prompt(loaded.tokenizer, request.messages, request.tools)
        generator = make_generator(loaded, request.sampling.seed)
        n_tokens = 0
        for index in range(request.sampling.n):
            pieces = generate(loaded, prompt, request.sampling, generator, self._grammar())
            for reply in self._choice(pieces):
                n_tokens += reply.pop("completion_tokens", 0)
                yield {"index": index, **reply}
        yield {"done": True, "prompt_tokens": len(prompt), "completion_tokens": n_tokens}

    def _choice(self, pieces: Iterator[Piece | Finish]) -> Iterator[Reply]:
        if self._request.must_call:
            return self._forced_choice(pieces)
        return self._free_choice(pieces)

    def _free_choice(self, pieces: Iterator[Piece | Finish]) -> Iterator[Reply]:
        calls = ToolCallFilter() if self._request.tools else None
        for piece in pieces:
            if isinstance(piece, Piece):
                yield from self._delta(piece, piece.text if calls is None else calls.push(piece.text))
                continue
            rest, found = ("", []) if calls is None else calls.close()
            if rest:
                yield {"delta": rest}
            yield _end(piece, found)

    def _forced_choice(self, pieces: Iterator[Piece | Finish]) -> Iterator[Reply]:
        text = ""
        for piece in pieces:
            if isinstance(piece, Piece):
                text += piece.text
            else:
                yield _end(piece, forced_call(list(self._request.tools), text))

    def _delta(self, piece: Piece, text: str) -> Iterator[Reply]:
        logprobs = [token_logprob(self._loaded.tokenizer, token) for token in piece.tokens]
        if logprobs:
            yield {"delta": text, "logprobs": logprobs}
        elif text:
            yield {"delta": text}

    def _grammar(self) -> Grammar | None:
        if self._schema is None:
            return None
        n_vocabulary = self._loaded.model.config.get_text_config().vocab_size
        return make_grammar(self._schema, self._loaded.tokenizer, n_vocabulary)


def _end(finish: Finish, calls: list[ToolCall]) -> Reply:
    reason = "tool_calls" if calls and finish.reason == "stop" else finish.reason
    return {
        "finish_reason": reason,
        "tool_calls": [asdict(call) for call in calls],
        "completion_tokens": finish.completion_tokens,
    }
