"""Answers are scored, judges asked once, and what goes wrong is told beside the scores."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ProviderError
from runner.evaluation.ask import Answer, AnswerCache
from runner.evaluation.scores import Scored, chat_with, graders_of, graders_sha256, score_all
from runner.graders.grade import Means
from runner.providers.base import ChatRequest, Completion
from runner.recipe.model import Evaluation
from tests.evaluation.examples import item

EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "judge-1",
    "range": [0, 10],
    "input": [{"role": "user", "content": "{{ item.reference }} / {{ sample.output_text }}"}],
}
ITEMS = [item("a", "본문은?", "UTF-8입니다."), item("b", "포트는?", "443번입니다.")]


@dataclass
class Judge:
    """Gives every answer the same text."""

    text: str = '{"result": 7}'
    requests: list[ChatRequest] = field(default_factory=list)

    def complete(self, request: ChatRequest) -> Completion:
        """Judge."""
        self.requests.append(request)
        if not self.text:
            raise ProviderError("judges cannot be reached")
        return Completion(text=self.text, prompt_tokens=20, completion_tokens=5)


def score(judge: Any, folder: Path, *graders: Mapping[str, Any], answers: tuple[Answer, ...]) -> list[Scored]:
    section = Evaluation(graders=graders)
    chat = chat_with(judge, AnswerCache(folder, "fake", "http://127.0.0.1/v1"), lambda *_: None)
    return score_all(graders_of(section), ITEMS, answers, Means(chat=chat), 2)


ANSWERS = (Answer(text="UTF-8입니다."), Answer(text="모릅니다."))


def test_every_grader_scores_every_answer(tmp_path: Path) -> None:
    found = score(Judge(), tmp_path, EXACT, JUDGE, answers=ANSWERS)

    assert [Scored(scores={"exact": 1.0, "judge": 7.0}), Scored(scores={"exact": 0.0, "judge": 7.0})] == found


def test_a_judge_is_asked_each_question_once(tmp_path: Path) -> None:
    judge = Judge()
    first = score(judge, tmp_path, JUDGE, answers=ANSWERS)
    second = score(judge, tmp_path, JUDGE, answers=ANSWERS)

    assert first == second
    assert 2 == len(judge.requests)
    assert {"judge-1"} == {request.model for request in judge.requests}


def test_a_judge_is_asked_with_every_sampling_parameter(tmp_path: Path) -> None:
    """Another value is another question, so that its answer is not taken from before."""
    judge = Judge()
    for top_p in (0.5, 0.9):
        sampling = {"top_p": top_p, "reasoning_effort": "low", "temperature": 0.3, "seed": 4}
        sampling |= {"max_completions_tokens": 30}
        score(judge, tmp_path, {**JUDGE, "sampling_params": sampling}, answers=ANSWERS[:1] * 2)

    assert [
        (0.3, 4, 30, {"top_p": top_p, "reasoning_effort": "low"}) for top_p in (0.5, 0.5, 0.9, 0.9)
    ] == sorted(
        ((each.temperature, each.seed, each.max_tokens, dict(each.beside)) for each in judge.requests),
        key=lambda asked: asked[3]["top_p"],
    )


def test_every_reply_is_told_with_its_tokens_one_from_the_cache_too(tmp_path: Path) -> None:
    told: list[tuple[str, Answer]] = []
    cache = AnswerCache(tmp_path, "fake", "http://127.0.0.1/v1")
    chat = chat_with(Judge(), cache, lambda model, reply: told.append((model, reply)))
    for _ in range(2):
        score_all(graders_of(Evaluation(graders=(JUDGE,))), ITEMS[:1], ANSWERS[:1], Means(chat=chat), 1)

    assert [("judge-1", 20, 5)] * 2 == [
        (model, reply.prompt_tokens, reply.completion_tokens) for model, reply in told
    ]


def test_a_judge_that_fails_leaves_the_other_scores(tmp_path: Path) -> None:
    [found, _] = score(Judge(text=""), tmp_path, EXACT, JUDGE, answers=ANSWERS)

    assert Scored(scores={"exact": 1.0}, failure="judge: judges cannot be reached") == found


def test_a_question_without_an_answer_has_no_scores(tmp_path: Path) -> None:
    judge = Judge()
    [failed, _] = score(judge, tmp_path, EXACT, JUDGE, answers=(Answer(failure="busy"), ANSWERS[1]))

    assert Scored(scores={}, failure="busy") == failed
    assert 1 == len(judge.requests)


@pytest.mark.parametrize(("graders", "differs"), [((EXACT,), False), ((JUDGE,), True)])
def test_the_hash_of_graders_holds_where_models_judge(graders: tuple[Any, ...], differs: bool) -> None:
    section = Evaluation(graders=graders)

    assert differs == (graders_sha256(section, "one") != graders_sha256(section, "other"))


def test_the_hash_of_graders_holds_their_words() -> None:
    other = {**EXACT, "operation": "like"}

    assert graders_sha256(Evaluation(graders=(EXACT,)), "x") != graders_sha256(
        Evaluation(graders=(other,)), "x"
    )
