"""What candidates are asked."""

from dataclasses import replace

import pytest

from runner.evaluation.candidates import Candidate
from runner.evaluation.prompts import Prompter
from runner.evaluation.retrieval import NearestRecords
from runner.examples.content import content_of_line, line_of, turns_of
from runner.examples.read import Message
from tests.evaluation.examples import example, item

TRAINING = [example(key, f"question {key}", f"answer {key}", system="Be kind.") for key in "abcde"]
ASKED = item("z", "question z", "answer z", system="Be kind.")
FEW = Candidate(name="few_shot", provider="local", model="m", prompting="few_shot")


def test_examples_stand_between_the_system_and_the_question() -> None:
    prompt = Prompter(TRAINING, 1, lambda _: True, None).prompt(FEW, ASKED)

    assert (
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "question c"},
        {"role": "assistant", "content": "answer c"},
        {"role": "user", "content": "question z"},
    ) == prompt


def test_which_examples_are_shown_does_not_depend_on_their_order() -> None:
    one = Prompter(TRAINING, 3, lambda _: True, None).prompt(FEW, ASKED)
    other = Prompter(TRAINING[::-1], 3, lambda _: True, None).prompt(FEW, ASKED)

    assert one == other


def test_only_as_many_are_shown_as_fit() -> None:
    prompt = Prompter(TRAINING, 4, lambda messages: len(messages) <= 6, None).prompt(FEW, ASKED)

    assert 6 == len(prompt)


def test_the_own_record_is_never_shown() -> None:
    asked = item("c", "question c", "answer c", system="Be kind.")

    prompt = Prompter(TRAINING, 5, lambda _: True, None).prompt(FEW, asked)

    assert 1 == sum(message["content"] == "question c" for message in prompt)


def test_the_nearest_records_are_read_by_the_system() -> None:
    pytest.importorskip("bm25s", reason="needs bm25s")
    candidate = Candidate(name="retrieval_prompt", provider="local", model="m", prompting="retrieval_prompt")
    prompter = Prompter(TRAINING, 1, lambda _: True, NearestRecords(TRAINING))

    prompt = prompter.prompt(candidate, item("z", "question d", "?", system="Be kind."))

    assert (
        {"role": "system", "content": "Be kind.\n\nquestion d\nanswer d"},
        {"role": "user", "content": "question d"},
    ) == prompt


def test_examples_with_images_are_shown_with_them_and_open_calls_as_text() -> None:
    image = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://e.test/a.png"}}]}
    call = {"id": "c", "type": "function", "function": {"name": "find", "arguments": "{}"}}
    seen = content_of_line({"messages": [image, {"role": "assistant", "content": "밸브"}]})
    called = content_of_line(
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [call]}]}
    )
    training = [
        replace(example(key, "", ""), line=line_of(content), messages=tuple(map(Message._make, turns)))
        for key, content in (("a", seen), ("b", called))
        for turns in [turns_of(content)]
    ]

    prompt = Prompter(training, 2, lambda _: True, None).prompt(FEW, item("z", "q", "?"))

    assert [
        {"role": "assistant", "content": "[find({})]"},
        {"role": "assistant", "content": "밸브"},
        image,
        {"role": "user", "content": "a"},
        {"role": "user", "content": "q"},
    ] == sorted(prompt, key=lambda message: (message["role"], str(message["content"])))
