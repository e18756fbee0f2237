"""Chat completions through the SDK, answered by a fake model."""

import json
import time
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion

from tests.local.harness import envelope, refusal


def ask(client: openai.OpenAI, question: str, **more: Any) -> Any:
    """Ask tiny-1."""
    messages = [{"role": "user", "content": question}]
    return client.chat.completions.create(model="tiny-1", messages=messages, **more)


def refused(client: openai.OpenAI, question: str = "hello", **more: Any) -> tuple[int, Any]:
    """The answer to a question that must not be asked."""
    with pytest.raises(openai.APIStatusError) as caught:
        ask(client, question, **more)
    return refusal(caught.value)


def test_an_answer_has_the_hosted_shape(client: openai.OpenAI) -> None:
    """Every field that the SDK's type demands is there."""
    answer = ask(client, "hello there")

    ChatCompletion.model_validate(answer.to_dict(), strict=True)
    assert answer.to_dict() == {
        "id": answer.id,
        "object": "chat.completion",
        "created": answer.created,
        "model": "tiny-1",
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hello there ", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }


def test_a_streamed_answer_comes_in_pieces(client: openai.OpenAI) -> None:
    """Role first, then text, then the reason of the end, then the usage that was asked for."""
    chunks = list(ask(client, "a b", stream=True, stream_options={"include_usage": True}))

    assert [chunk.choices[0].delta.content for chunk in chunks[:-1]] == ["", "a ", "b ", None]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None, None, None, "stop"]
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * 4
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 5
    assert len({chunk.id for chunk in chunks}) == 1


def test_usage_is_streamed_only_when_asked_for(client: openai.OpenAI) -> None:
    """The last chunk is the end of the text."""
    chunks = list(ask(client, "a", stream=True))

    assert chunks[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_parameters_reach_the_model(client: openai.OpenAI, limit: str) -> None:
    """Nothing that was asked for is lost."""
    answer = ask(client, "show", **{limit: 7}, temperature=0, top_p=0.5, seed=3, stop="x")

    assert json.loads(answer.choices[0].message.content) == {
        "model_path": None,
        "base_model": "tiny-1",
        "messages": [{"role": "user", "content": "show"}],
        "max_tokens": 7,
        "temperature": 0,
        "top_p": 0.5,
        "seed": 3,
        "stop": ["x"],
    }


@pytest.mark.parametrize(
    ("param", "value", "found"),
    [
        ("n", 2, "2"),
        ("logprobs", True, "true"),
        ("response_format", {"type": "json_object"}, '{"type": "json_object"}'),
        ("tools", [{"type": "function", "function": {"name": "f"}}], None),
        ("frequency_penalty", 0.5, "0.5"),
    ],
)
def test_what_is_not_supported_is_refused(client: openai.OpenAI, param: str, value: Any, found: str) -> None:
    """Never silently ignored."""
    status, body = refused(client, **{param: value})

    shown = found or json.dumps(value)[:60]
    message = f"Unsupported value: '{param}' does not support {shown} with the local service."
    assert (status, body) == (400, envelope(message, param, "unsupported_value"))


def test_neutral_values_are_accepted(client: openai.OpenAI) -> None:
    """Many clients spell the defaults out."""
    assert ask(client, "hi", n=1, logprobs=False, response_format={"type": "text"}, user="me").choices


@pytest.mark.parametrize(
    ("more", "param", "message"),
    [
        ({"temperature": 2.5}, "temperature", "2.5 is greater than the maximum of 2 - 'temperature'"),
        ({"max_tokens": 0}, "max_tokens", "0 is less than the minimum of 1 - 'max_tokens'"),
        (
            {"max_tokens": 1, "max_completion_tokens": 1},
            "max_tokens",
            "Send 'max_completion_tokens' or 'max_tokens', not both.",
        ),
        (
            {"stream_options": {"include_usage": True}},
            "stream_options",
            "'stream_options' needs 'stream': true.",
        ),
    ],
)
def test_values_out_of_range_are_refused(
    client: openai.OpenAI, more: dict[str, Any], param: str, message: str
) -> None:
    """The hosted bounds hold."""
    assert refused(client, **more) == (400, envelope(message, param, "invalid_value"))


def test_unknown_models_and_parameters_are_named(client: openai.OpenAI) -> None:
    """Near names are suggested."""
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="tiny1", messages=[{"role": "user", "content": "x"}])
    assert refusal(caught.value) == (
        404,
        envelope("The model `tiny1` does not exist. Did you mean `tiny-1`?", "model", "model_not_found"),
    )
    assert refused(client, extra_body={"top_k": 5}) == (
        400,
        envelope("Unknown parameter: 'top_k'.", "top_k", "unknown_parameter"),
    )


def test_messages_are_checked(client: openai.OpenAI) -> None:
    """The message is named by its number."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="tiny-1", messages=[{"role": "user", "content": 5}])

    message = "Invalid 'messages': message 1 has no text content."
    assert refusal(caught.value) == (400, envelope(message, "messages", "invalid_value"))


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_model_refuses_is_a_400(client: openai.OpenAI, stream: bool) -> None:
    """Also where a stream was asked for."""
    message = "This model's maximum context length is 8 tokens."

    assert refused(client, "too long", stream=stream) == (
        400,
        envelope(message, code="context_length_exceeded"),
    )


@pytest.mark.parametrize("stream", [False, True])
def test_the_model_starts_again_after_its_death(client: openai.OpenAI, stream: bool) -> None:
    """The failure says why, and the next question is answered."""
    status, body = refused(client, "die", stream=stream)

    assert status == 500
    assert body["error"] == {
        "message": "The inference process was ended by signal 9 (SIGKILL). "
        "Most often memory ran out: use a smaller batch_size, shorter examples or a smaller model. "
        "The next request starts it again. Its log: .finetune/local/inference.log",
        "type": "server_error",
        "param": None,
        "code": "inference_died",
    }
    assert ask(client, "back").choices[0].message.content == "back "


def test_a_death_in_the_middle_of_a_stream_is_told(client: openai.OpenAI) -> None:
    """The SDK raises what the last event says."""
    chunks = ask(client, "half", stream=True)
    with pytest.raises(openai.APIError, match="ended by signal 9"):
        list(chunks)


def test_a_client_that_goes_away_frees_the_model(client: openai.OpenAI) -> None:
    """An answer without an end does not keep the next question waiting."""
    stream = ask(client, "for ever", stream=True)
    next(iter(stream))
    stream.close()
    started = time.monotonic()

    assert ask(client, "next").choices[0].message.content == "next "
    assert time.monotonic() - started < 5
