"""One chat request from question to replies: pytest tests/local/training/test_answer.py"""

import json
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch (the extra `local`) is not installed")

from runner.local.training.answer import Answerer, UnsupportedRequestError
from runner.local.training.chat_request import parse_request
from runner.local.training.conversation import render_prompt
from runner.local.training.models import LoadedModel, load_model
from tests.local.training.fakes import CHATML, messages

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

FIND = {
    "type": "function",
    "function": {
        "name": "find",
        "parameters": {
            "type": "object",
            "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}},
            "required": ["n"],
            "additionalProperties": False,
        },
    },
}
WITH_TOOLS = "{% if tools %}<tools>{{ tools | tojson }}</tools>{% endif %}" + CHATML


@pytest.fixture(scope="module")
def tiny(one_thread: None) -> LoadedModel:
    """tiny-1 as it is made."""
    loaded = load_model("tiny-1", None, allow_network=False)
    loaded.model.eval()
    return loaded


@pytest.fixture
def with_tools(chat_model: Any) -> LoadedModel:
    """A model whose template has a place for tools."""
    loaded = load_model(str(chat_model), None, allow_network=False)
    loaded.tokenizer.chat_template = WITH_TOOLS
    loaded.model.eval()
    return replace(loaded)


def replies(loaded: LoadedModel, **values: Any) -> list[dict[str, Any]]:
    """Ask a model."""
    asked = [{"role": "user", "content": "a"}]
    content = {"id": "1", "base_model": "m", "messages": asked, "max_tokens": 12, "seed": 3, **values}
    return list(Answerer(loaded, parse_request(content)).replies())


def texts(found: list[dict[str, Any]]) -> dict[int, str]:
    """The text of every answer."""
    return {
        index: "".join(reply.get("delta", "") for reply in found if reply.get("index") == index)
        for index in {reply["index"] for reply in found if "index" in reply}
    }


def test_several_answers_are_drawn_from_one_seed(tiny: LoadedModel) -> None:
    """The first is the one that would come alone, and all come again with the seed."""
    several = replies(tiny, n=3)

    assert several == replies(tiny, n=3)
    drawn = texts(several)
    assert drawn[0] == texts(replies(tiny))[0]
    assert len(set(drawn.values())) == 3
    assert several[-1] == {
        "done": True,
        "prompt_tokens": several[-1]["prompt_tokens"],
        "completion_tokens": 36,
    }
    ends = [reply for reply in several if "finish_reason" in reply]
    assert ends == [{"index": n, "finish_reason": "length", "tool_calls": []} for n in range(3)]


def test_the_bytes_of_the_tokens_make_the_text(tiny: LoadedModel) -> None:
    """Also where a character is spread over tokens."""
    found = replies(tiny, top_logprobs=2, max_tokens=40)
    tokens = [token for reply in found for token in reply.get("logprobs", [])]

    assert len(tokens) == found[-1]["completion_tokens"]
    assert (
        bytes(byte for token in tokens for byte in token["bytes"]).decode("utf-8", "replace").rstrip("\ufffd")
        == texts(found)[0]
    )
    assert all(len(token["top_logprobs"]) == 2 and token["logprob"] <= 0 for token in tokens)


def test_tools_reach_the_template(with_tools: LoadedModel) -> None:
    """As the model was trained to see them."""
    prompt = render_prompt(with_tools.tokenizer, messages("user: a"), [FIND])

    text = with_tools.tokenizer.decode(prompt)
    assert f"<tools>{json.dumps([FIND])}</tools>" in text.replace("\\u003c", "<")


def test_a_model_without_a_place_for_tools_refuses_them(tiny: LoadedModel) -> None:
    """It would not see them."""
    with pytest.raises(UnsupportedRequestError) as caught:
        replies(tiny, tools=[FIND])

    assert str(caught.value) == (
        "The chat template of m has no place for tools; choose a model that was made for them, or send "
        "'tool_choice': 'none'."
    )


@pytest.mark.parametrize(
    ("tools", "names", "arguments"),
    [([FIND], {"find"}, {"n"}), ([{"function": {"name": name}} for name in "ab"], {"a", "b"}, set())],
)
def test_a_call_can_be_forced(
    with_tools: LoadedModel, tools: list[dict[str, Any]], names: set[str], arguments: set[str]
) -> None:
    """Even a model of random weights then writes arguments that fit."""
    pytest.importorskip("llguidance", reason="llguidance (the extra `structured`) is not installed")
    end, last = replies(with_tools, tools=tools, must_call=True, max_tokens=60)

    [call] = end["tool_calls"]
    assert end["finish_reason"] == "tool_calls"
    assert call["name"] in names
    assert json.loads(call["arguments"]).keys() == arguments
    assert last["completion_tokens"] > 3


def test_the_role_developer_is_one_of_the_systems(with_tools: LoadedModel) -> None:
    """For templates that do not know it."""
    refuse = "{% if message.role == 'developer' %}{{ raise_exception('no such role') }}{% endif %}"
    with_tools.tokenizer.chat_template = CHATML.replace(
        "{{- '<|im_start|>'", f"{refuse}{{{{- '<|im_start|>'", 1
    )
    older, newer = (
        render_prompt(with_tools.tokenizer, messages(f"{role}: be kind", "user: a"))
        for role in ("system", "developer")
    )

    assert older == newer
