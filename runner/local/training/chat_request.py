"""Reads the requests of the inference process."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.local.training.messages import Message, parse_messages, parse_tools

if TYPE_CHECKING:
    from runner.local.training.sampling import Sampling

MAX_INTEGER = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """A chat request whose values have been checked.

    `tools` are shown to the model; with `must_call` the answer is a call of one of them. `schema` is a JSON
    Schema that the answer must fit.
    """

    request_id: Any
    model_path: Path | None
    base_model: str
    messages: tuple[Message, ...]
    sampling: "Sampling"
    tools: tuple[Mapping[str, Any], ...] = ()
    must_call: bool = False
    schema: Mapping[str, Any] | None = None


class InvalidRequestError(ValueError):
    """A request is not one that can be answered; the text says what is wrong with it."""


def parse_request(content: Mapping[str, Any]) -> ChatRequest:
    """Check one request. Raises InvalidRequestError and InvalidMessageError."""
    base_model, model_path = content.get("base_model"), content.get("model_path")
    if not isinstance(base_model, str) or not isinstance(model_path, str | None):
        raise InvalidRequestError("base_model must be a string, model_path a string or null")
    schema = content.get("schema")
    if not isinstance(schema, dict | None):
        raise InvalidRequestError("schema must be an object or null")
    return ChatRequest(
        request_id=content.get("id"),
        model_path=None if model_path is None else Path(model_path),
        base_model=base_model,
        messages=parse_messages(content.get("messages")),
        sampling=_sampling(content),
        tools=parse_tools(content.get("tools")),
        must_call=content.get("must_call") is True,
        schema=schema,
    )


def _sampling(content: Mapping[str, Any]) -> "Sampling":
    # Imported here, because it imports torch, which waits for the first request.
    from runner.local.training.sampling import Sampling

    stop, bias = content.get("stop") or [], content.get("logit_bias") or {}
    if not isinstance(stop, list) or not all(isinstance(text, str) for text in stop):
        raise InvalidRequestError("stop must be a list of strings")
    if not isinstance(bias, dict) or not all(str(token_id).isdecimal() for token_id in bias):
        raise InvalidRequestError("logit_bias must map token ids to numbers")
    return Sampling(
        max_tokens=_integer(content, "max_tokens", lower=0),
        temperature=_number(content, "temperature", upper=2, default=1.0),
        top_p=_number(content, "top_p", upper=1, default=1.0),
        seed=_integer(content, "seed", lower=-MAX_INTEGER),
        stop=tuple(stop),
        n=_integer(content, "n", lower=1) or 1,
        top_logprobs=_integer(content, "top_logprobs", lower=0),
        presence_penalty=_number(content, "presence_penalty", lower=-2, upper=2),
        frequency_penalty=_number(content, "frequency_penalty", lower=-2, upper=2),
        logit_bias={int(token_id): _number(bias, token_id, lower=-100, upper=100) for token_id in bias},
    )


def _integer(content: Mapping[str, Any], name: str, *, lower: int) -> int | None:
    value = content.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not lower <= value < MAX_INTEGER:
        raise InvalidRequestError(f"{name} must be a whole number from {lower}, found {value!r}")
    return value


def _number(
    content: Mapping[str, Any], name: str, *, lower: float = 0, upper: float, default: float = 0.0
) -> float:
    value = content.get(name)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not lower <= value <= upper:
        raise InvalidRequestError(f"{name} must be a number from {lower} to {upper}, found {value!r}")
    return float(value)
