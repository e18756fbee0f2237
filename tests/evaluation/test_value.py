"""What is kept of an evaluation: every answer on disk, the figures in the lockfile."""

import json
from dataclasses import replace

from runner.canonical import sha256_bytes
from runner.lock.evaluation import LockedCandidate, LockedEvaluation, LockedScore
from tests.evaluation.evaluations import evaluation


def test_a_question_is_a_line_with_all_answers_and_scores() -> None:
    found = evaluation(tuned=[1.0, None], base=[0.0, 1.0])
    first, second = found.answers_file.splitlines()

    assert {
        "identity": "0",
        "answers": {"tuned": "tuned 0", "base": "base 0"},
        "scores": {"tuned": {"exact": 1.0}, "base": {"exact": 0.0}},
        "failures": {},
    } == json.loads(first)
    assert {"tuned": "busy"} == json.loads(second)["failures"]
    assert {"base": {"exact": 1.0}} == json.loads(second)["scores"]


def test_the_lockfile_has_four_digits_and_the_settings_of_graders() -> None:
    settings = {"exact": {"type": "string_check", "operation": "eq"}}
    found = replace(evaluation(tuned=[1.0, 0.0, 0.0]), settings=settings)

    assert (
        LockedEvaluation(
            questions=found.questions.sha256,
            n_questions=3,
            left_out=0,
            graders="9" * 64,
            answers=sha256_bytes(found.answers_file),
            candidates={
                "tuned": LockedCandidate(
                    failures=0,
                    model="tuned-1",
                    provider="local",
                    scores={"exact": LockedScore(mean=0.3333, low=0.0615, high=0.7923, n=3)},
                )
            },
            settings=settings,
        )
        == found.locked()
    )


def test_a_result_is_found_by_its_name() -> None:
    found = evaluation(tuned=[1.0], base=[0.0])

    assert [found.results[1], None] == [found.result(name) for name in ("base", "nobody")]
