"""Hosts are asked about unfinished jobs until these have ended; trouble with one leaves the others."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from runner.operator import Operator
from runner.project import Project
from runner.providers.base import Event, Job, NotFoundError
from runner.upkeep.hosted_news import follow_hosted, unfinished
from tests.fakes import MemoryProvider, StillClock

JOB = Job(id="ftjob-1", status="queued", model="base-1", training_file="file-1", created_at=7)
KNOWN = {"id": "ftjob-1", "provider": "openai", "status": "running", "recipe": "faq", "run": "default"}


@pytest.fixture
def providers(monkeypatch: pytest.MonkeyPatch) -> dict[str, MemoryProvider]:
    """What stands behind each host's name; nobody is asked for a key."""
    found = {
        "openai": MemoryProvider(jobs={"ftjob-1": JOB}, statuses=["running", "succeeded"]),
        "nebius": MemoryProvider(jobs={"ftjob-1": JOB}, statuses=["running"]),
    }
    monkeypatch.setattr("runner.upkeep.hosted_news.provider_of", lambda host, *_: found[host.name])
    monkeypatch.setattr(MemoryProvider, "close", lambda self: None, raising=False)
    return found


def follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *jobs: Mapping[str, Any]
) -> tuple[list[Sequence[Mapping[str, Any]]], StillClock]:
    """The news of each look, and the clock that was waited by."""
    told: list[Sequence[Mapping[str, Any]]] = []
    clock = StillClock()
    monkeypatch.setattr("runner.upkeep.hosted_news.known_jobs", lambda project: list(jobs))
    follow_hosted(Project(root=tmp_path), Operator(clock=clock), lambda _, news: told.append(news))
    return told, clock


def test_a_job_is_asked_about_until_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, providers: dict[str, MemoryProvider]
) -> None:
    told, clock = follow(tmp_path, monkeypatch, KNOWN)

    event = {"created_at": 1, "level": "info", "message": "Created ftjob-1", "type": "message", "data": {}}
    unsaid = {"trained_tokens": None, "error": None, "created_at": 7, "finished_at": None, "events": [event]}
    assert [
        [{"id": "ftjob-1", "status": "running", "fine_tuned_model": None, **unsaid}],
        [{"id": "ftjob-1", "status": "succeeded", "fine_tuned_model": "ft:base-1:1", **unsaid}],
    ] == told
    assert [5.0] == clock.waited


def test_a_host_in_trouble_is_asked_less_often_and_the_others_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, providers: dict[str, MemoryProvider]
) -> None:
    providers["openai"].statuses = ["running"] * 3 + ["succeeded"]
    providers["nebius"].lost_reads = 1
    providers["nebius"].jobs["ftjob-2"] = JOB
    providers["nebius"].statuses = ["failed"]
    told, clock = follow(tmp_path, monkeypatch, KNOWN, {**KNOWN, "id": "ftjob-2", "provider": "nebius"})

    said = [[(item["id"], item.get("status") or item["trouble"]) for item in news] for news in told]
    assert [
        [("ftjob-2", "memory cannot be reached"), ("ftjob-1", "running")],
        [("ftjob-1", "running")],
        [("ftjob-2", "failed"), ("ftjob-1", "running")],
        [("ftjob-1", "succeeded")],
    ] == said
    assert [5.0, 5.0, 5.0] == clock.waited


def test_a_job_that_is_gone_is_not_asked_about_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, providers: dict[str, MemoryProvider]
) -> None:
    monkeypatch.setattr(MemoryProvider, "retrieve_job", _gone)
    told, _ = follow(tmp_path, monkeypatch, KNOWN)

    assert [[{"id": "ftjob-1", "trouble": "memory: no ftjob-1", "is_gone": True}]] == told


def _gone(self: MemoryProvider, job_id: str) -> Job:
    raise NotFoundError(f"memory: no {job_id}")


def test_only_unfinished_jobs_elsewhere_are_asked_about(tmp_path: Path) -> None:
    """A host that nobody knows is asked too, so that somebody learns what is wrong with it."""
    jobs = [
        {**KNOWN, "id": "ended", "status": "succeeded"},
        {**KNOWN, "id": "here", "provider": "local"},
        {**KNOWN, "id": "paused", "status": "paused"},
        {**KNOWN, "id": "unknown", "provider": "nobody"},
    ]

    found = unfinished(jobs, Project(root=tmp_path), Operator())
    assert ["unknown", "paused"] == [job["id"] for job in found]


def test_a_loss_that_is_no_number_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, providers: dict[str, MemoryProvider]
) -> None:
    data = {"step": 3, "train_loss": float("nan"), "valid_loss": 0.5, "note": "x"}
    event = Event(id="e", created_at=1, level="info", message="Step 3", type="metrics", data=data)
    providers["openai"].statuses = ["succeeded"]
    monkeypatch.setattr(MemoryProvider, "list_events", lambda *_: [event])
    told, _ = follow(tmp_path, monkeypatch, KNOWN)

    assert {"step": 3, "valid_loss": 0.5} == told[0][0]["events"][0]["data"]
