"""The route that creates chat completions."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from runner.local.identifiers import new_id
from runner.local.rows import CompletionRow
from runner.local.service.asking import Replies, new_answer, next_reply
from runner.local.service.bodies import read_object
from runner.local.service.chat_answer import AnswerInProgress
from runner.local.service.chat_body import ChatBody, read_chat
from runner.local.service.context import Service, service_of
from runner.local.service.refusals import ApiError


async def create_completion(request: Request) -> Response:
    """POST /chat/completions."""
    service = service_of(request)
    chat = read_chat(service, await read_object(request), new_id("chatcmpl"))
    answer, replies = new_answer(service, chat), service.inference.replies(chat.question)
    if chat.is_streamed:
        # The first reply is awaited here, so that a refusal is still an HTTP status.
        events = _events(service, chat, answer, await next_reply(replies), replies)
        headers = {"cache-control": "no-store"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)
    while answer.usage is None:
        answer.take(await next_reply(replies))
    _store(service, chat, answer)
    return JSONResponse(answer.whole())


ROUTES = [Route("/chat/completions", create_completion, methods=["POST"])]


async def _events(
    service: Service, chat: ChatBody, answer: AnswerInProgress, first: dict[str, Any], replies: Replies
) -> AsyncIterator[str]:
    """Server-sent events, as the hosted service sends them."""
    usage: dict[str, Any] = {"usage": None} if chat.includes_usage else {}
    for choice in answer.choices:
        yield _event(answer.chunk([choice.first_chunk()], **usage))
    reply = first
    # Closed when the client goes away, so that the next request does not wait for an answer nobody reads.
    async with aclosing(replies):
        try:
            while (chunk := answer.take(reply)) is not None:
                yield _event(answer.chunk([chunk], **usage))
                reply = await next_reply(replies)
        except ApiError as error:
            yield _event(error.envelope)
            return
    _store(service, chat, answer)
    if chat.includes_usage:
        yield _event(answer.chunk([], usage=answer.usage))
    yield "data: [DONE]\n\n"


def _store(service: Service, chat: ChatBody, answer: AnswerInProgress) -> None:
    if chat.is_stored:
        service.store.add(
            CompletionRow(
                id=answer.head.id,
                created_at=answer.head.created,
                model=chat.model,
                completion=answer.whole(),
                messages=chat.messages,
                metadata=chat.metadata,
            )
        )


def _event(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"
