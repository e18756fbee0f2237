"""Chat completions through the SDK, answered by a fake model."""

import json
import time
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceLogprobs

from tests.local.harness import envelope, refusal

NOTHING = ChoiceLogprobs(content=[])


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
        "system_fingerprint": answer.system_fingerprint,
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
    answer = ask(
        client,
        "show",
        **{limit: 7},
        temperature=0,
        top_p=0.5,
        seed=3,
        stop="x",
        logprobs=True,
        top_logprobs=2,
        presence_penalty=0.5,
        frequency_penalty=-2,
        logit_bias={"5": -100},
    )

    assert json.loads(answer.choices[0].message.content) == {
        "model_path": None,
        "base_model": "tiny-1",
        "messages": [{"role": "user", "content": "show"}],
        "max_tokens": 7,
        "temperature": 0,
        "top_p": 0.5,
        "seed": 3,
        "stop": ["x"],
        "n": 1,
        "top_logprobs": 2,
        "presence_penalty": 0.5,
        "frequency_penalty": -2,
        "logit_bias": {"5": -100},
        "tools": [],
        "must_call": False,
        "schema": None,
    }


def test_several_answers_come_in_one(client: openai.OpenAI) -> None:
    """Each has its place, streamed or not."""
    choices = ask(client, "a b", n=3).choices
    assert [(choice.index, choice.message.content) for choice in choices] == [(n, "a b ") for n in range(3)]

    texts = {0: "", 1: "", 2: ""}
    for chunk in ask(client, "a b", n=3, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == dict.fromkeys(range(3), "a b ")


def test_probabilities_come_where_they_are_asked_for(client: openai.OpenAI) -> None:
    """Streamed or not, with the bytes of every token."""
    answer = ask(client, "a 네", logprobs=True, top_logprobs=0)
    ChatCompletion.model_validate(answer.to_dict(), strict=True)
    expected = [
        {"token": text, "logprob": 0.0, "bytes": list(text.encode()), "top_logprobs": []}
        for text in ("a ", "네 ")
    ]
    assert answer.to_dict()["choices"][0]["logprobs"] == {"content": expected, "refusal": None}

    chunks = list(ask(client, "a 네", logprobs=True, stream=True))
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk.to_dict(), strict=True)
    streamed = [token for chunk in chunks for token in (chunk.choices[0].logprobs or NOTHING).content]
    assert [token.to_dict() for token in streamed] == expected


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
OTHER_TOOL = {"type": "function", "function": {"name": "g"}}


def test_tool_calls_have_the_hosted_shape(client: openai.OpenAI) -> None:
    """Streamed or not; parallel calls can be declined."""
    answer = ask(client, "call", tools=[TOOL, OTHER_TOOL])
    ChatCompletion.model_validate(answer.to_dict(), strict=True)
    choice = answer.choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "call ")
    assert [call.function.to_dict() for call in choice.message.tool_calls] == [
        {"name": "f", "arguments": "{}"},
        {"name": "g", "arguments": "{}"},
    ]
    assert len({call.id for call in choice.message.tool_calls}) == 2
    single = ask(client, "call", tools=[TOOL, OTHER_TOOL], parallel_tool_calls=False)
    assert [call.function.name for call in single.choices[0].message.tool_calls] == ["f"]

    *_, last = ask(client, "call", tools=[TOOL], stream=True)
    ChatCompletionChunk.model_validate(last.to_dict(), strict=True)
    assert last.choices[0].finish_reason == "tool_calls"
    assert [(call.index, call.function.name) for call in last.choices[0].delta.tool_calls] == [(0, "f")]


@pytest.mark.parametrize(
    ("choice", "tools", "must_call"),
    [
        ("none", [], False),
        ("auto", [TOOL, OTHER_TOOL], False),
        ("required", [TOOL, OTHER_TOOL], True),
        ({"type": "function", "function": {"name": "g"}}, [OTHER_TOOL], True),
    ],
)
def test_a_tool_may_be_chosen(client: openai.OpenAI, choice: Any, tools: Any, *, must_call: bool) -> None:
    """Only what may be called reaches the model."""
    pytest.importorskip("llguidance", reason="llguidance (the extra `structured`) is not installed")
    asked = [{"role": "user", "content": "show"}]
    answer = client.chat.completions.create(
        model="tiny-1", messages=asked, tools=[TOOL, OTHER_TOOL], tool_choice=choice
    )
    found = json.loads(answer.choices[0].message.content)

    assert (found["tools"], found["must_call"]) == (tools, must_call)


def test_answers_to_calls_go_to_the_model(client: openai.OpenAI) -> None:
    """A conversation with calls can be continued."""
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    messages = [
        {"role": "developer", "content": "be kind"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "3"},
        {"role": "user", "content": "show"},
    ]
    answer = client.chat.completions.create(model="tiny-1", messages=messages)

    assert json.loads(answer.choices[0].message.content)["messages"] == messages


def test_a_form_of_the_answer_may_be_asked_for(client: openai.OpenAI) -> None:
    """The model is held to the schema; JSON mode is any object."""
    pytest.importorskip("llguidance", reason="llguidance (the extra `structured`) is not installed")
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    asked = [{"role": "user", "content": "show"}, {"role": "user", "content": "show"}]
    formats = {"json_schema": {"name": "answer", "schema": schema, "strict": True}, "type": "json_schema"}
    answer = client.chat.completions.create(model="tiny-1", messages=asked, response_format=formats)
    assert json.loads(answer.choices[0].message.content)["schema"] == schema

    asked[0]["content"] = "as JSON"
    kind = {"type": "json_object"}
    answer = client.chat.completions.create(model="tiny-1", messages=asked, response_format=kind)
    assert json.loads(answer.choices[0].message.content)["schema"] == {"type": "object"}


@pytest.mark.parametrize(
    ("param", "value", "found"),
    [
        ("modalities", ["text", "audio"], '["text", "audio"]'),
        ("reasoning_effort", "high", '"high"'),
        ("service_tier", "flex", '"flex"'),
        ("web_search_options", {}, "{}"),
    ],
)
def test_what_is_not_supported_is_refused(client: openai.OpenAI, param: str, value: Any, found: str) -> None:
    """Never silently ignored."""
    message = f"Unsupported value: '{param}' does not support {found} with the local service."

    assert refused(client, **{param: value}) == (400, envelope(message, param, "unsupported_value"))


@pytest.mark.parametrize(
    ("param", "value", "instead"),
    [("functions", [{"name": "f"}], "tools"), ("function_call", "auto", "tool_choice")],
)
def test_outdated_parameters_name_their_successor(
    client: openai.OpenAI, param: str, value: Any, instead: str
) -> None:
    """They have been replaced since 2023."""
    message = f"Unsupported parameter: '{param}' is outdated. Use '{instead}' instead."

    assert refused(client, **{param: value}) == (400, envelope(message, param, "unsupported_parameter"))


def test_neutral_values_are_accepted(client: openai.OpenAI) -> None:
    """Many clients spell the defaults out."""
    assert ask(client, "hi", n=1, logprobs=False, response_format={"type": "text"}, user="me").choices


@pytest.mark.parametrize(
    ("more", "param", "message", "code"),
    [
        (
            {"temperature": 2.5},
            "temperature",
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
            "decimal_above_max_value",
        ),
        (
            {"max_tokens": 0},
            "max_tokens",
            "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.",
            "integer_below_min_value",
        ),
        (
            {"n": 129},
            "n",
            "Invalid 'n': integer above maximum value. Expected a value <= 128, but got 129 instead.",
            "integer_above_max_value",
        ),
        (
            {"logit_bias": {"5": 101}},
            "logit_bias.5",
            "Invalid 'logit_bias.5': decimal above maximum value. "
            "Expected a value <= 100, but got 101 instead.",
            "decimal_above_max_value",
        ),
        (
            {"stop": ["a"] * 5},
            "stop",
            "Invalid 'stop': array too long. Expected an array with maximum length 4, "
            "but got an array with length 5 instead.",
            "array_above_max_length",
        ),
        (
            {"max_tokens": 1, "max_completion_tokens": 1},
            "max_tokens",
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "invalid_parameter_combination",
        ),
        (
            {"stream_options": {"include_usage": True}},
            "stream_options",
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            None,
        ),
        (
            {"top_logprobs": 3},
            "top_logprobs",
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
            "invalid_value",
        ),
        (
            {"response_format": {"type": "json_object"}},
            "messages",
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
            "'json_object'.",
            None,
        ),
        (
            {"response_format": {"type": "json_schema"}},
            "response_format.json_schema",
            "Missing required parameter: 'response_format.json_schema'.",
            "missing_required_parameter",
        ),
        (
            {"tool_choice": "auto"},
            "tool_choice",
            "'tool_choice' is only allowed when 'tools' are specified.",
            "invalid_value",
        ),
        (
            {"tools": [{"type": "custom"}]},
            "tools[0].type",
            "Invalid value: 'custom'. Supported values are: 'function'.",
            "invalid_value",
        ),
    ],
)
def test_values_out_of_range_are_refused(
    client: openai.OpenAI, more: dict[str, Any], param: str, message: str, code: str | None
) -> None:
    """The hosted bounds hold, in the hosted words."""
    assert refused(client, **more) == (400, envelope(message, param, code))


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


@pytest.mark.parametrize("kind", ["image_url", "input_audio", "file"])
def test_images_and_sounds_are_refused_in_the_hosted_words(client: openai.OpenAI, kind: str) -> None:
    """Whoever reads the path finds the part."""
    parts: Any = [{"type": "text", "text": "이건?"}, {"type": kind, kind: {}}]
    messages: Any = [{"role": "system", "content": "a"}, {"role": "user", "content": parts}]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="tiny-1", messages=messages)

    message = f"Invalid content type. {kind} is only supported by certain models."
    assert refusal(caught.value) == (400, envelope(message, "messages.[1].content.[1].type"))


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_model_refuses_is_a_400(client: openai.OpenAI, stream: bool) -> None:
    """Also where a stream was asked for."""
    message = "This model's maximum context length is 8 tokens."

    assert refused(client, "too long", stream=stream) == (
        400,
        envelope(message, "messages", "context_length_exceeded"),
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
