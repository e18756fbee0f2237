"""A question, and a conversation that survives its provider."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runner.cli.chat import Budget, History, _converse
from runner.errors import ProviderError
from tests.cli.conftest import Call


@dataclass
class Asked:
    """A stand-in for the model that fails at one question."""

    questions: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> str:
        self.questions.append(text)
        if text == "fail":
            raise ProviderError("fake answered HTTP 500: fault 500")
        return f"answer to {text}"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the person types, line by line, and then Ctrl-D."""
    lines: list[str] = []

    def read(prompt: str) -> str:
        if not lines:
            raise EOFError
        return lines.pop(0)

    monkeypatch.setattr("builtins.input", read)
    return lines


def test_a_conversation_survives_an_error_of_the_provider(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed += ["one", "", "fail", "two"]
    asked = Asked()
    _converse("ft:base", asked)

    assert ["one", "fail", "two"] == asked.questions
    assert (
        "ft:base. Ctrl-D ends the conversation.\n"
        "\n"
        "error: fake answered HTTP 500: fault 500\n"
        "The conversation goes on without this question.\n"
        "\n"
    ) == capsys.readouterr().err


def test_a_failed_question_is_not_remembered() -> None:
    history = History(system="Be brief.", budget=None)
    history.with_question("lost")
    history.add("one", "1")

    assert [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "two"},
    ] == list(history.with_question("two"))


def test_the_oldest_turns_are_left_out_and_it_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    history = History(system="Be brief.", budget=Budget(tokens=60, margin=0.0))
    sent = []
    for number in range(8):
        messages = history.with_question(f"question {number}")
        sent.append([message["content"] for message in messages if message["role"] == "user"])
        history.add(f"question {number}", "a long answer of several words")

    assert ["question 0", "question 1"] == sent[1]
    assert ["question 5", "question 6", "question 7"] == sent[-1]
    assert "system" == history.with_question("x")[0]["role"]
    assert (
        "The conversation is longer than the model reads; its oldest turns are left out now.\n"
    ) == capsys.readouterr().err


def test_a_question_longer_than_the_context_is_sent_alone() -> None:
    """The provider says what it makes of it; nothing is cut out of a question."""
    history = History(system=None, budget=Budget(tokens=10, margin=0.0))
    history.add("one", "1")

    assert ({"role": "user", "content": "word " * 100},) == history.with_question("word " * 100)


def test_chat_without_a_tuned_model_says_what_to_run(
    call: Call, recipe: Path, hosted: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = call("chat", recipe, "hello")

    assert (
        1,
        "error: there is no tuned model under the profile 'default' yet. "
        f"`finetune run {recipe}` makes one.\n",
    ) == (outcome.code, outcome.err)
