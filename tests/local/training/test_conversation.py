"""A conversation's tokens, and which are learnt: pytest tests/local/training/test_conversation.py"""

import json
from itertools import groupby
from typing import Any

import pytest

pytest.importorskip("transformers")

from runner.local.training.conversation import (
    ConversationError,
    InvalidTokenError,
    render_conversation,
    render_prompt,
)
from runner.local.training.messages import Message
from tests.local.training.fakes import CHATML, MARKED_CHATML, make_chat_tokenizer, messages

pytestmark = pytest.mark.torch

Expected = list[tuple[str, bool]]
SINGLE = messages("system: Category: 결제", "user: 환불은?", "assistant: 사흘 안에 됩니다. 😀")
MULTI = messages(
    "user: hello", "assistant: hello there", "user: 안녕", "assistant(0): not this", "assistant: 네\n\n안녕히"
)
REASONING = """\
{% for message in messages %}
{{- '<|im_start|>' + message.role + '\n' }}
{%- if message.role == 'assistant' and loop.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}
{{- message.content + '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\n' }}
{%- if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{% endif %}
{%- endif %}"""


def assert_tokens(tokenizer: Any, conversation: tuple[Message, ...], expected: Expected) -> None:
    """Compare every token with pieces of text, each tokenised alone and learnt as a whole or not at all."""
    ids, mask = [], []
    for text, is_learnt in expected:
        piece = tokenizer(text, add_special_tokens=False)["input_ids"]
        ids += piece
        mask += [is_learnt] * len(piece)

    assert (ids, mask) == render_conversation(tokenizer, conversation)


def test_single_turn(tiny_tokenizer: Any) -> None:
    """The answer and its end are learnt; the headers, the question and the system message are not."""
    assert_tokens(
        tiny_tokenizer,
        SINGLE,
        [
            ("<|im_start|>", False),
            ("system", False),
            ("<|im_sep|>", False),
            ("Category: 결제", False),
            ("<|im_end|><|im_start|>", False),
            ("user", False),
            ("<|im_sep|>", False),
            ("환불은?", False),
            ("<|im_end|><|im_start|>", False),
            ("assistant", False),
            ("<|im_sep|>", False),
            ("사흘 안에 됩니다. 😀", True),
            ("<|im_end|>", True),
        ],
    )


def test_multi_turn(tiny_tokenizer: Any) -> None:
    """Every answer of weight 1 is learnt, one of weight 0 is not."""
    assert_tokens(
        tiny_tokenizer,
        MULTI,
        [
            ("<|im_start|>user<|im_sep|>hello<|im_end|><|im_start|>assistant<|im_sep|>", False),
            ("hello there<|im_end|>", True),
            ("<|im_start|>user<|im_sep|>안녕<|im_end|><|im_start|>assistant<|im_sep|>", False),
            ("not this<|im_end|><|im_start|>assistant<|im_sep|>", False),
            ("네\n\n안녕히<|im_end|>", True),
        ],
    )


@pytest.mark.parametrize("template", [CHATML, MARKED_CHATML])
def test_end_of_turn_is_learnt_and_the_line_end_after_it_is_not(template: str) -> None:
    assert_tokens(
        make_chat_tokenizer(template),
        MULTI,
        [
            ("<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n", False),
            ("hello there<|im_end|>", True),
            ("\n<|im_start|>user\n안녕<|im_end|>\n<|im_start|>assistant\n", False),
            ("not this<|im_end|>\n<|im_start|>assistant\n", False),
            ("네\n\n안녕히<|im_end|>", True),
            ("\n", False),
        ],
    )


@pytest.mark.parametrize("conversation", [SINGLE, MULTI, messages("assistant: hello")])
def test_prefix_method_equals_generation_marks(conversation: tuple[Message, ...]) -> None:
    by_prefix = render_conversation(make_chat_tokenizer(CHATML), conversation)

    assert by_prefix == render_conversation(make_chat_tokenizer(MARKED_CHATML), conversation)


@pytest.mark.parametrize("template", [CHATML, MARKED_CHATML])
@pytest.mark.parametrize("answer", ["plain", "\n\nstarts with line ends", " a space", "\n", ""])
def test_prompt_is_what_precedes_the_answer(template: str, answer: str) -> None:
    """Training sees the very tokens that inference sends, also where text would merge across the border."""
    tokenizer = make_chat_tokenizer(template)
    conversation = (*messages("user: hello"), Message(role="assistant", content=answer))
    ids, mask = render_conversation(tokenizer, conversation)

    assert ids[: mask.index(True)] == render_prompt(tokenizer, conversation[:-1])
    assert (
        tokenizer.decode([token for token, is_learnt in zip(ids, mask, strict=True) if is_learnt])
        == answer + "<|im_end|>"
    )


def test_prompt_of_tiny_1_is_what_precedes_the_answer(tiny_tokenizer: Any) -> None:
    ids, mask = render_conversation(tiny_tokenizer, SINGLE)

    assert ids[: mask.index(True)] == render_prompt(tiny_tokenizer, SINGLE[:-1])


def test_reasoning_template_is_learnt_without_thoughts() -> None:
    """The empty thought stands in the last prompt only; earlier answers follow the plain header."""
    assert_tokens(
        make_chat_tokenizer(REASONING),
        messages("user: hello", "assistant: one", "user: hello", "assistant: two"),
        [
            ("<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n", False),
            ("one<|im_end|>", True),
            ("\n<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n", False),
            ("two<|im_end|>", True),
            ("\n", False),
        ],
    )


def test_template_without_an_end_of_turn_is_learnt_to_its_end() -> None:
    template = (
        "{% for m in messages %}{{ m.role + ': ' + m.content }}{% if not loop.last %} {% endif %}{% endfor %}"
    )
    template += "{% if add_generation_prompt %}{{ ' assistant: ' }}{% endif %}"

    assert_tokens(
        make_chat_tokenizer(template),
        messages("user: hello", "assistant: 네 안녕"),
        [("user: hello assistant: ", False), ("네 안녕", True)],
    )


def test_date_in_a_template_stands_still() -> None:
    """A template that prints today's date would make tomorrow's hash another one."""
    tokenizer = make_chat_tokenizer("{{ strftime_now('%d %b %Y') }}\n" + CHATML)
    ids, _ = render_conversation(tokenizer, messages("user: hello", "assistant: hello"))

    assert tokenizer.decode(ids).startswith("26 Jul 2024\n<|im_start|>user\nhello")


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
@pytest.mark.parametrize("token", ["<|im_end|>", "<|im_start|>", "<|im_sep|>", "<|pad|>"])
def test_special_token_as_text_is_refused(tiny_tokenizer: Any, role: str, token: str) -> None:
    conversation = (Message(role=role, content=f"a {token} b"), *messages("assistant: c"))
    with pytest.raises(InvalidTokenError) as caught:
        render_conversation(tiny_tokenizer, conversation)

    assert f"message contains an invalid token: {token}" == str(caught.value)
    with pytest.raises(InvalidTokenError):
        render_prompt(tiny_tokenizer, conversation)


def test_ordinary_added_token_is_text_like_any_other() -> None:
    tokenizer = make_chat_tokenizer(CHATML)
    ids, mask = render_conversation(tokenizer, messages("user: hello", "assistant: <think>hello</think>"))

    assert tokenizer.convert_tokens_to_ids("<think>") == ids[mask.index(True)]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("", "the model has no chat template; choose one made for chat"),
        ("{{ raise_exception('no system here') }}", "the chat template refuses it: no system here"),
        ("{{ messages[9].content }}", "the chat template refuses it: list object has no element 9"),
        (
            "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}",
            "the chat template writes a conversation differently from the prompts inside it",
        ),
        (
            CHATML.replace("message['content']", "message['content'] | upper"),
            "the chat template changes the text of an assistant message",
        ),
        (
            "{% generation %}hello{% endgeneration %}{% generation %}x{% endgeneration %}",
            "the chat template marks 2 of 1 answers",
        ),
    ],
)
def test_unusable_template_is_explained(template: str, message: str) -> None:
    with pytest.raises(ConversationError) as caught:
        render_conversation(make_chat_tokenizer(template), messages("user: hello", "assistant: hello"))

    assert message == str(caught.value)


# As Hermes and Qwen write them: https://github.com/NousResearch/Hermes-Function-Calling
WITH_CALLS = """\
{%- if tools %}{{ '<tools>' + tools | tojson + '</tools>\n' }}{% endif %}
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\n' + message.content }}
{%- for call in message.tool_calls or () %}
{{- '<tool_call>' + call.function | tojson + '</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""
TOOL = {"type": "function", "function": {"name": "weather"}}
CALL = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": {"city": "Busan"}}}
CALLING = (
    Message(role="user", content="hello"),
    Message(role="assistant", content="", tool_calls=(CALL,)),
    Message(role="tool", content="sunny", tool_call_id="c"),
    Message(role="assistant", content="hello there"),
)


def test_calls_of_tools_are_learnt_like_answers() -> None:
    """The tools stand before the conversation; neither they nor the results are learnt."""
    written = '<tool_call>{"name": "weather", "arguments": {"city": "Busan"}}</tool_call>'
    tokenizer = make_chat_tokenizer(WITH_CALLS)
    ids, mask = render_conversation(tokenizer, CALLING, [TOOL])
    pieces = [
        (is_learnt, tokenizer.decode([token for token, _ in run]))
        for is_learnt, run in groupby(zip(ids, mask, strict=True), key=lambda pair: pair[1])
    ]

    assert [
        (
            False,
            f"<tools>{json.dumps([TOOL])}</tools>\n"
            "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n",
        ),
        (True, f"{written}<|im_end|>"),
        (False, "\n<|im_start|>tool\nsunny<|im_end|>\n<|im_start|>assistant\n"),
        (True, "hello there<|im_end|>"),
        (False, "\n"),
    ] == [(is_learnt, text.replace("\\u003c", "<")) for is_learnt, text in pieces]
    assert ids[: mask.index(True)] == render_prompt(tokenizer, CALLING[:1], [TOOL])


@pytest.mark.parametrize(
    ("template", "tools", "problem"),
    [
        (CHATML, [TOOL], "the chat template has no place for tools; choose a model made for them"),
        (CHATML, [], "the chat template leaves out a call of a tool; choose a model made for them"),
    ],
)
def test_a_template_that_loses_tools_is_refused(template: str, tools: list[Any], problem: str) -> None:
    with pytest.raises(ConversationError) as caught:
        render_conversation(make_chat_tokenizer(template), CALLING, tools)

    assert problem == str(caught.value)
