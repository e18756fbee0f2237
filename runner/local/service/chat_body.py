"""Turns the body of a chat request into a request of the inference process."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from runner.local.catalogue import UnknownModelError, find_model
from runner.local.inference import InferenceRequest
from runner.local.service.chat_schema import CHAT, NEUTRAL, OUTDATED
from runner.local.service.context import Service
from runner.local.service.refusals import ApiError, invalid, invalid_value, not_found, unsupported
from runner.local.service.wording import check_body
from runner.local.training.messages import InvalidMessageError, UnsupportedPartError, parse_messages

ANY_OBJECT = {"type": "object"}
STRUCTURED = "llguidance"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatBody:
    """A chat request that was checked: what to ask, and how the answer is given."""

    question: InferenceRequest
    model: str
    messages: tuple[Mapping[str, Any], ...]
    metadata: Mapping[str, str] | None
    is_stored: bool
    is_streamed: bool
    includes_usage: bool
    one_call: bool


def read_chat(service: Service, body: dict[str, Any], request_id: str) -> ChatBody:
    """Check the body of a chat request. Raises ApiError."""
    _refuse_unsupported(body)
    check_body(body, CHAT)
    _check_together(body)
    body = {**body, "model": service.model_called(body["model"])}
    options = body.get("stream_options") or {}
    return ChatBody(
        question=_question(service, body, request_id),
        model=body["model"],
        messages=tuple(body["messages"]),
        metadata=body.get("metadata"),
        is_stored=bool(body.get("store")),
        is_streamed=bool(body.get("stream")),
        includes_usage=bool(options.get("include_usage")),
        one_call=body.get("parallel_tool_calls") is False,
    )


def _refuse_unsupported(body: Mapping[str, Any]) -> None:
    for name, value in body.items():
        if value is None or name in CHAT["properties"]:
            continue
        if name in OUTDATED:
            message = f"Unsupported parameter: '{name}' is outdated. Use '{OUTDATED[name]}' instead."
            raise invalid(message, name, "unsupported_parameter")
        if name not in NEUTRAL:
            raise invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
        if value not in NEUTRAL[name]:
            raise unsupported(name, json.dumps(value, ensure_ascii=False)[:60])


def _check_together(body: Mapping[str, Any]) -> None:
    """Refuse parameters that do not go together, in the hosted service's words."""
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        raise invalid(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "max_tokens",
            "invalid_parameter_combination",
        )
    if body.get("stream_options") is not None and not body.get("stream"):
        raise invalid(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options"
        )
    if body.get("top_logprobs") and not body.get("logprobs"):
        raise invalid_value(
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", "top_logprobs"
        )
    if _format_of(body) == "json_object" and "json" not in json.dumps(body["messages"]).lower():
        raise invalid(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
            "'json_object'.",
            "messages",
        )
    if body.get("tool_choice") not in (None, "none") and not body.get("tools"):
        raise invalid_value("'tool_choice' is only allowed when 'tools' are specified.", "tool_choice")


def _question(service: Service, body: Mapping[str, Any], request_id: str) -> InferenceRequest:
    try:
        messages = parse_messages(body["messages"])
        found = find_model(service.store, service.layout, body["model"])
    except UnsupportedPartError as error:
        raise invalid(f"{error}.", error.param) from error
    except InvalidMessageError as error:
        raise invalid_value(f"Invalid 'messages': {error}.", "messages") from error
    except UnknownModelError as error:
        raise not_found(str(error), "model", "model_not_found") from error
    stop = body.get("stop") or []
    max_tokens = body.get("max_completion_tokens") or body.get("max_tokens")
    seed = body.get("seed")
    tools, must_call = _tools(body)
    return InferenceRequest(
        id=request_id,
        model_path=None if found.path is None else str(found.path),
        base_model=found.base_model,
        # As they came: the other process reads them with the same function.
        messages=body["messages"] if messages else [],
        max_tokens=None if max_tokens is None else int(max_tokens),
        temperature=1.0 if body.get("temperature") is None else body["temperature"],
        top_p=1.0 if body.get("top_p") is None else body["top_p"],
        seed=None if seed is None else int(seed),
        stop=[stop] if isinstance(stop, str) else stop,
        n=int(body.get("n") or 1),
        top_logprobs=int(body.get("top_logprobs") or 0) if body.get("logprobs") else None,
        presence_penalty=body.get("presence_penalty") or 0.0,
        frequency_penalty=body.get("frequency_penalty") or 0.0,
        logit_bias=body.get("logit_bias") or {},
        tools=tools,
        must_call=must_call,
        schema=_schema(body),
    )


def _tools(body: Mapping[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    """The tools to show to the model, and whether it has to call one of them."""
    tools: list[dict[str, Any]] = body.get("tools") or []
    choice: Any = body.get("tool_choice") or "auto"
    if choice == "none":
        return [], False
    if choice == "auto":
        return tools, False
    _require_structured("tool_choice", choice)
    if choice == "required":
        return tools, True
    name = choice["function"]["name"]
    named = [tool for tool in tools if tool["function"]["name"] == name]
    if not named:
        raise invalid_value(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice")
    return named[:1], True


def _schema(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The JSON Schema that the answer has to fit."""
    kind = _format_of(body)
    if kind == "text":
        return None
    _require_structured("response_format", {"type": kind})
    if kind == "json_object":
        return ANY_OBJECT
    schema: dict[str, Any] = body["response_format"]["json_schema"].get("schema") or ANY_OBJECT
    return schema


def _format_of(body: Mapping[str, Any]) -> str:
    return str((body.get("response_format") or {"type": "text"})["type"])


def can_hold_to_schema() -> bool:
    """Whether the library that holds answers to a JSON Schema is installed."""
    return find_spec(STRUCTURED) is not None


def _require_structured(param: str, value: Any) -> None:
    if not can_hold_to_schema():
        raise ApiError(
            400,
            f"Unsupported value: '{param}' does not support {json.dumps(value)[:60]} without the extra "
            "`structured`. Install it with: pip install 'finetune-runner[structured]'",
            param=param,
            code="unsupported_value",
        )
