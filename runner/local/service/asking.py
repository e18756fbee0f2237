"""Asks a model, for the routes of chats, batches and graders alike."""

from collections.abc import AsyncGenerator
from typing import Any

from runner.local.identifiers import new_id
from runner.local.inference import InferenceDiedError
from runner.local.service.chat_answer import AnswerInProgress, Head
from runner.local.service.chat_body import ChatBody, read_chat
from runner.local.service.context import Service
from runner.local.service.refusals import ApiError

# What the inference process calls its refusals, as status and parameter.
REFUSALS: dict[str, tuple[int, str | None]] = {
    "context_length_exceeded": (400, "messages"),
    "invalid_request": (400, None),
    "invalid_schema": (400, "response_format"),
    "model_not_found": (404, "model"),
    "unsupported_value": (400, "tools"),
}

Replies = AsyncGenerator[dict[str, Any], None]


async def complete(service: Service, body: dict[str, Any]) -> dict[str, Any]:
    """Answer a chat request in one piece, whatever it says about streaming. Raises ApiError."""
    chat = read_chat(service, body, new_id("chatcmpl"))
    answer = new_answer(service, chat)
    replies = service.inference.replies(chat.question)
    while answer.usage is None:
        answer.take(await next_reply(replies))
    return answer.whole()


def new_answer(service: Service, chat: ChatBody) -> AnswerInProgress:
    """Begin the answer to a request."""
    metadata = chat.metadata if chat.is_stored else None
    head = Head(id=chat.question.id, created=service.now, model=chat.model, metadata=metadata)
    return AnswerInProgress(head=head, n=chat.question.n, one_call=chat.one_call)


async def next_reply(replies: Replies) -> dict[str, Any]:
    """The next reply. Raises ApiError where it is a refusal, or the model's process ended."""
    try:
        reply = await anext(replies)
    except InferenceDiedError as error:
        raise ApiError(500, str(error), code="inference_died") from error
    if "done" in reply or "error" in reply:
        await replies.aclose()
    if "error" in reply:
        code, message = reply["error"]["code"], reply["error"]["message"]
        status, param = REFUSALS.get(code, (500, None))
        raise ApiError(status, message, param=param, code=code)
    return reply
