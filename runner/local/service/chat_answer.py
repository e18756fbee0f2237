"""Makes the chat API's objects out of what the inference process replies."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import runner
from runner.canonical import sha256_of

FINGERPRINTED = ("torch", "transformers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What an answer and all its chunks share."""

    id: str
    created: int
    model: str
    metadata: Mapping[str, str] | None = None

    def of(self, kind: str) -> dict[str, Any]:
        """The first fields of an object."""
        head: dict[str, Any] = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return {**head, "system_fingerprint": system_fingerprint()}


@dataclass(slots=True, kw_only=True)
class ChoiceInProgress:
    """One answer while it arrives."""

    index: int
    one_call: bool
    text: str = ""
    logprobs: list[dict[str, Any]] | None = None
    finish_reason: str | None = None
    tool_calls: list[dict[str, Any]] = field(default_factory=list)

    def take(self, reply: Mapping[str, Any]) -> dict[str, Any]:
        """Take a reply of the model and give the chunk's choice that it makes."""
        if "finish_reason" in reply:
            return self._take_end(reply)
        self.text += reply["delta"]
        logprobs = reply.get("logprobs")
        if logprobs is not None:
            self.logprobs = [*(self.logprobs or []), *logprobs]
        return self._chunk({"content": reply["delta"]}, logprobs=logprobs)

    def _take_end(self, reply: Mapping[str, Any]) -> dict[str, Any]:
        self.finish_reason = reply["finish_reason"]
        calls = reply["tool_calls"][:1] if self.one_call else reply["tool_calls"]
        self.tool_calls = [_tool_call(call) for call in calls]
        delta: dict[str, Any] = {}
        if self.tool_calls:
            delta["tool_calls"] = [{"index": place, **call} for place, call in enumerate(self.tool_calls)]
        return self._chunk(delta, finish_reason=self.finish_reason)

    def first_chunk(self) -> dict[str, Any]:
        """The chunk's choice that says who speaks."""
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def whole(self) -> dict[str, Any]:
        """The choice of an answer in one piece."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text, "refusal": None}
        if self.tool_calls:
            message = {**message, "content": self.text or None, "tool_calls": self.tool_calls}
        logprobs = None if self.logprobs is None else {"content": self.logprobs, "refusal": None}
        return {
            "index": self.index,
            "message": message,
            "logprobs": logprobs,
            "finish_reason": self.finish_reason,
        }

    def _chunk(
        self,
        delta: dict[str, Any],
        *,
        logprobs: list[dict[str, Any]] | None = None,
        finish_reason: str | None = None,
    ) -> dict[str, Any]:
        shown = None if logprobs is None else {"content": logprobs, "refusal": None}
        return {"index": self.index, "delta": delta, "logprobs": shown, "finish_reason": finish_reason}


@dataclass(slots=True, kw_only=True)
class AnswerInProgress:
    """The answers to one request while they arrive."""

    head: Head
    n: int
    one_call: bool
    usage: dict[str, Any] | None = None
    choices: list[ChoiceInProgress] = field(init=False)

    def __post_init__(self) -> None:
        self.choices = [ChoiceInProgress(index=index, one_call=self.one_call) for index in range(self.n)]

    def take(self, reply: Mapping[str, Any]) -> dict[str, Any] | None:
        """Take a reply of the model and give the chunk's choice that it makes; None for the last reply."""
        if "done" not in reply:
            return self.choices[int(reply["index"])].take(reply)
        prompt, completion = reply["prompt_tokens"], reply["completion_tokens"]
        self.usage = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
        return None

    def chunk(self, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """One piece of a streamed answer."""
        return {**self.head.of("chat.completion.chunk"), "choices": choices, **more}

    def whole(self) -> dict[str, Any]:
        """The answer in one piece, once the last reply was taken."""
        choices = [choice.whole() for choice in self.choices]
        answer = {**self.head.of("chat.completion"), "choices": choices, "usage": self.usage}
        return answer if self.head.metadata is None else {**answer, "metadata": dict(self.head.metadata)}


@lru_cache(maxsize=1)
def system_fingerprint() -> str:
    """Name the versions that an answer with a seed depends on."""
    return f"fp_{sha256_of([runner.__version__, *map(_version, FINGERPRINTED)])[:10]}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _tool_call(call: Mapping[str, str]) -> dict[str, Any]:
    function = {"name": call["name"], "arguments": call["arguments"]}
    return {"id": f"call_{secrets.token_hex(12)}", "type": "function", "function": function}
