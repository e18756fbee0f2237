"""The route of chat completions."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from runner.local.catalogue import UnknownModelError, find_model
from runner.local.identifiers import new_id
from runner.local.inference import InferenceDiedError, InferenceRequest
from runner.local.service.bodies import check_object, read_object
from runner.local.service.context import Service, service_of
from runner.local.service.refusals import ApiError, invalid, invalid_value, not_found, unsupported
from runner.local.service.schemas import CHAT
from runner.local.training.training_file import InvalidMessageError, parse_messages

# Parameters of the hosted API that are accepted only where they ask for nothing.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "function_call": ("none",),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "parallel_tool_calls": (True, False),
    "presence_penalty": (0,),
    "response_format": ({"type": "text"},),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
}
# Labels for the hosted service's own bookkeeping.
LABELS = frozenset({"metadata", "prompt_cache_key", "safety_identifier", "user"})
STATUS_OF_CODE = {"context_length_exceeded": 400, "invalid_request": 400, "model_not_found": 404}

Replies = AsyncGenerator[dict[str, Any], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What all chunks of one answer share."""

    id: str
    created: int
    model: str

    def chunk(self, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """One piece of a streamed answer."""
        return {**self._head("chat.completion.chunk"), "choices": choices, **more}

    def whole(self, text: str, last: Mapping[str, Any]) -> dict[str, Any]:
        """The answer in one piece; `last` is the final reply of the model."""
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": last["finish_reason"]}
        return {**self._head("chat.completion"), "choices": [choice], "usage": _usage(last)}

    def _head(self, kind: str) -> dict[str, Any]:
        head = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return {**head, "system_fingerprint": None}


async def create_completion(request: Request) -> Response:
    """POST /chat/completions."""
    service = service_of(request)
    body = await read_object(request)
    _refuse_unsupported(body)
    check_object(body, CHAT)
    completion = Completion(id=new_id("chatcmpl"), created=service.now, model=body["model"])
    replies = service.inference.replies(_inference_request(service, body, completion.id))
    if not body.get("stream"):
        return JSONResponse(await _whole(completion, replies))
    # The first reply is awaited here, so that a refusal is still an HTTP status.
    first = await _next(replies)
    include_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    events = _events(completion, first, replies, include_usage=include_usage)
    return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-store"})


ROUTES = [Route("/chat/completions", create_completion, methods=["POST"])]


def _refuse_unsupported(body: Mapping[str, Any]) -> None:
    for name, value in body.items():
        if value is None or name in CHAT["properties"] or name in LABELS:
            continue
        if name not in NEUTRAL:
            raise invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
        if value not in NEUTRAL[name]:
            raise unsupported(name, json.dumps(value, ensure_ascii=False)[:60])
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        raise invalid_value("Send 'max_completion_tokens' or 'max_tokens', not both.", "max_tokens")
    if body.get("stream_options") is not None and not body.get("stream"):
        raise invalid_value("'stream_options' needs 'stream': true.", "stream_options")


def _inference_request(service: Service, body: Mapping[str, Any], request_id: str) -> InferenceRequest:
    try:
        messages = parse_messages(body["messages"])
        found = find_model(service.store, service.layout, body["model"])
    except InvalidMessageError as error:
        raise invalid_value(f"Invalid 'messages': {error}.", "messages") from error
    except UnknownModelError as error:
        raise not_found(str(error), "model", "model_not_found") from error
    stop = body.get("stop") or []
    max_tokens = body.get("max_completion_tokens") or body.get("max_tokens")
    seed = body.get("seed")
    return InferenceRequest(
        id=request_id,
        model_path=None if found.path is None else str(found.path),
        base_model=found.base_model,
        messages=[{"role": message.role, "content": message.content} for message in messages],
        max_tokens=None if max_tokens is None else int(max_tokens),
        temperature=1.0 if body.get("temperature") is None else body["temperature"],
        top_p=1.0 if body.get("top_p") is None else body["top_p"],
        seed=None if seed is None else int(seed),
        stop=[stop] if isinstance(stop, str) else stop,
    )


async def _whole(completion: Completion, replies: Replies) -> dict[str, Any]:
    pieces: list[str] = []
    while "done" not in (reply := await _next(replies)):
        pieces.append(reply["delta"])
    return completion.whole("".join(pieces), reply)


async def _next(replies: Replies) -> dict[str, Any]:
    """The next reply. Raises ApiError where it is a refusal, or the model's process ended."""
    try:
        reply = await anext(replies)
    except InferenceDiedError as error:
        raise ApiError(500, str(error), code="inference_died") from error
    if "done" in reply or "error" in reply:
        await replies.aclose()
    if "error" in reply:
        code = reply["error"]["code"]
        raise ApiError(STATUS_OF_CODE.get(code, 500), reply["error"]["message"], code=code)
    return reply


async def _events(
    completion: Completion, first: dict[str, Any], replies: Replies, *, include_usage: bool
) -> AsyncIterator[str]:
    """Server-sent events, as the hosted service sends them."""
    usage: dict[str, Any] = {"usage": None} if include_usage else {}
    yield _event(completion.chunk([_choice({"role": "assistant", "content": "", "refusal": None})], **usage))
    reply = first
    # Closed when the client goes away, so that the next request does not wait for an answer nobody reads.
    async with aclosing(replies):
        try:
            while "done" not in reply:
                yield _event(completion.chunk([_choice({"content": reply["delta"]})], **usage))
                reply = await _next(replies)
        except ApiError as error:
            yield _event(error.envelope)
            return
    yield _event(completion.chunk([_choice({}, reply["finish_reason"])], **usage))
    if include_usage:
        yield _event(completion.chunk([], usage=_usage(reply)))
    yield "data: [DONE]\n\n"


def _choice(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _usage(last: Mapping[str, Any]) -> dict[str, int]:
    prompt, completion = last["prompt_tokens"], last["completion_tokens"]
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _event(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"
