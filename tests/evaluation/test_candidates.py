"""Who can be asked."""

import pytest

from runner.errors import UsageError
from runner.evaluation.candidates import Candidate, baselines, checkpoints
from runner.lock.lockfile import LockedCheckpoint, LockedJob

JOB = LockedJob(
    id="ftjob-1",
    provider="fake",
    model="base-1",
    method="supervised",
    digest="0" * 64,
    attempt=1,
    seed=1,
    status="succeeded",
    requested={},
    fine_tuned_model="ft:3",
    checkpoints=tuple(
        LockedCheckpoint(id=f"c-{step}", model=model, step=step)
        for step, model in [(10, "ft:1"), (20, "ft:2"), (30, "ft:3")]
    ),
)


def checkpoint(step: int, model: str) -> Candidate:
    return Candidate(name=f"step-{step}", provider="fake", model=model, tuned_from="base-1")


@pytest.mark.parametrize("wanted", ["20", "c-20", "ft:2"])
def test_a_checkpoint_is_named_by_step_id_or_model(wanted: str) -> None:
    assert [checkpoint(20, "ft:2")] == checkpoints(JOB, wanted)


def test_all_are_all_but_the_tuned_model_itself() -> None:
    assert [checkpoint(10, "ft:1"), checkpoint(20, "ft:2")] == checkpoints(JOB, "all")
    assert [] == checkpoints(JOB, None)


def test_an_unknown_checkpoint_names_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        checkpoints(JOB, "21")

    assert "--checkpoint: job ftjob-1 has none '21'. Known here: 10, 20, 30." == str(caught.value)


def test_baselines_are_asked_where_the_model_was_trained() -> None:
    assert [
        Candidate(name="base_model", provider="fake", model="base-1"),
        Candidate(name="few_shot", provider="fake", model="base-1", prompting="few_shot"),
        Candidate(name="retrieval"),
        Candidate(name="retrieval_prompt", provider="fake", model="base-1", prompting="retrieval_prompt"),
    ] == baselines(["base_model", "few_shot", "retrieval", "retrieval_prompt"], JOB)
