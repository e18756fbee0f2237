"""Questions are asked once, several at a time, and what fails is an answer too."""

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ProviderError
from runner.evaluation.ask import Answer, AnswerCache, Asking, ask_all
from runner.providers.base import ChatRequest, Completion, NotFoundError
from tests.fakes import StillClock


@dataclass
class Model:
    """Answers with the question, after the clock moved by a second; `refuses` maps questions to errors."""

    clock: StillClock
    refuses: dict[str, ProviderError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def complete(self, request: ChatRequest) -> Completion:
        """Answer."""
        text = request.messages[-1]["content"]
        self.asked.append(text)
        if text in self.refuses:
            raise self.refuses[text]
        self.clock.sleep(1)
        return Completion(text=f"{text}!", prompt_tokens=2, completion_tokens=1, finish_reason="stop")


def request(text: str) -> ChatRequest:
    return ChatRequest(model="m", messages=({"role": "user", "content": text},), max_tokens=5, seed=0)


def asking(model: Any, folder: Path, concurrency: int = 1) -> Asking:
    return Asking(
        provider=model,
        cache=AnswerCache(folder, "fake", "http://127.0.0.1/v1"),
        clock=model.clock,
        concurrency=concurrency,
    )


def test_answers_come_in_the_order_of_the_questions_with_seconds_and_tokens(tmp_path: Path) -> None:
    found = ask_all(asking(Model(StillClock()), tmp_path), [request("가"), request("b")])

    assert [
        Answer(text="가!", latency_s=1.0, prompt_tokens=2, completion_tokens=1, finish_reason="stop"),
        Answer(text="b!", latency_s=1.0, prompt_tokens=2, completion_tokens=1, finish_reason="stop"),
    ] == found


def test_an_equal_request_is_not_asked_again_and_any_other_one_is(tmp_path: Path) -> None:
    model = Model(StillClock())
    first = request("a")
    others = [
        replace(first, model="n"),
        replace(first, max_tokens=6),
        replace(first, seed=1),
        replace(first, temperature=0.5),
        replace(first, messages=({"role": "system", "content": "a"},)),
    ]
    ask_all(asking(model, tmp_path), [first])
    ask_all(asking(model, tmp_path), [first])
    ask_all(asking(model, tmp_path), others)

    assert ["a"] * (1 + len(others)) == model.asked


@pytest.mark.parametrize("target", [("other", "http://127.0.0.1/v1"), ("fake", "http://127.0.0.2/v1")])
def test_what_one_host_answered_is_not_the_answer_of_another(tmp_path: Path, target: tuple[str, str]) -> None:
    AnswerCache(tmp_path, "fake", "http://127.0.0.1/v1").put(request("a"), Answer(text="yes"))

    assert AnswerCache(tmp_path, *target).get(request("a")) is None


def test_a_failure_is_told_and_asked_again_the_next_time(tmp_path: Path) -> None:
    model = Model(StillClock(), refuses={"b": ProviderError("fake answered HTTP 500:\n\x1b[31mbusy")})
    first = ask_all(asking(model, tmp_path), [request("a"), request("b"), request("c")])
    model.refuses.clear()
    second = ask_all(asking(model, tmp_path), [request("a"), request("b"), request("c")])

    assert [None, "fake answered HTTP 500:\\n\\x1b[31mbusy", None] == [answer.failure for answer in first]
    assert ["a!", "b!", "c!"] == [answer.text for answer in second]
    assert ["a", "b", "c", "b"] == model.asked


def test_an_unknown_model_is_asked_for_once(tmp_path: Path) -> None:
    model = Model(StillClock(), refuses={"a": NotFoundError("fake: no m")})

    found = ask_all(asking(model, tmp_path), [request("a"), request("b"), request("c")])

    assert ["fake: no m"] * 3 == [answer.failure for answer in found]
    assert ["a"] == model.asked


def test_no_more_questions_are_open_than_allowed_and_as_many_are(tmp_path: Path) -> None:
    """The first question goes alone; then three wait for each other."""
    together, lock, now, most = threading.Barrier(3, timeout=10), threading.Lock(), 0, 0

    class Slow(Model):
        def complete(self, request: ChatRequest) -> Completion:
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            if request.messages[-1]["content"] != "0":
                together.wait()
            with lock:
                now -= 1
            return Completion(text="yes")

    ask_all(asking(Slow(StillClock()), tmp_path, concurrency=3), [request(str(n)) for n in range(7)])

    assert 3 == most


def test_a_damaged_answer_on_disk_is_asked_again(tmp_path: Path) -> None:
    model = Model(StillClock())
    ask_all(asking(model, tmp_path), [request("a")])
    [kept] = tmp_path.rglob("*.json")
    kept.write_text('{"text": ')

    assert "a!" == ask_all(asking(model, tmp_path), [request("a")])[0].text
    assert ["a", "a"] == model.asked
