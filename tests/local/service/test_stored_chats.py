"""Chat completions that were stored, through the SDK."""

from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion

from tests.local.harness import envelope, refusal


def ask(client: openai.OpenAI, question: str, **more: Any) -> Any:
    """Ask tiny-1 and keep the answer."""
    asked = [{"role": "user", "content": question}]
    return client.chat.completions.create(model="tiny-1", messages=asked, store=True, **more)


def test_a_stored_answer_can_be_looked_up_changed_and_deleted(client: openai.OpenAI) -> None:
    """Its messages too."""
    chats = client.chat.completions
    answer = ask(client, "hello", metadata={"a": "1"})
    found = chats.with_raw_response.retrieve(answer.id).http_response.json()

    ChatCompletion.model_validate(found, strict=True)
    assert found == {**answer.to_dict(), "metadata": {"a": "1"}}
    messages = chats.messages.with_raw_response.list(answer.id).http_response.json()
    assert messages == {
        "object": "list",
        "data": [
            {
                "id": f"{answer.id}-0",
                "role": "user",
                "content": "hello",
                "content_parts": None,
                "refusal": None,
            }
        ],
        "first_id": f"{answer.id}-0",
        "last_id": f"{answer.id}-0",
        "has_more": False,
    }
    assert chats.update(answer.id, metadata={"b": "2"}).to_dict()["metadata"] == {"b": "2"}
    assert chats.retrieve(answer.id).to_dict()["metadata"] == {"b": "2"}
    gone = chats.delete(answer.id)
    assert gone.to_dict() == {"object": "chat.completion.deleted", "id": answer.id, "deleted": True}
    with pytest.raises(openai.NotFoundError) as caught:
        chats.retrieve(answer.id)
    message = f"No such stored chat completion: {answer.id}"
    assert refusal(caught.value) == (404, envelope(message, "completion_id"))


def test_stored_answers_are_listed_oldest_first(client: openai.OpenAI) -> None:
    """By metadata, in pages, in either order."""
    chats = client.chat.completions
    ids = [ask(client, "a", metadata={"list": "x"}).id for _ in range(3)]

    assert [answer.id for answer in chats.list(metadata={"list": "x"}, limit=2)] == ids
    newest_first = chats.list(metadata={"list": "x"}, order="desc", limit=1)
    assert [answer.id for answer in newest_first] == ids[::-1]
    assert chats.list(model="none").to_dict() == {
        "object": "list",
        "data": [],
        "first_id": "",
        "last_id": "",
        "has_more": False,
    }


def test_a_streamed_answer_is_stored_whole(client: openai.OpenAI) -> None:
    """When its last piece is out."""
    chunks = list(ask(client, "a b", stream=True))
    found = client.chat.completions.retrieve(chunks[0].id)

    assert found.choices[0].message.content == "a b "


def test_nothing_is_stored_unasked(client: openai.OpenAI) -> None:
    """What is said stays between the two."""
    asked = [{"role": "user", "content": "secret"}]
    answer = client.chat.completions.create(model="tiny-1", messages=asked)

    with pytest.raises(openai.NotFoundError):
        client.chat.completions.retrieve(answer.id)
