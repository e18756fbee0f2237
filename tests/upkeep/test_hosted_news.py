"""Hosts are asked about unfinished jobs until these have ended; trouble with one leaves the others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.operator import Operator
from runner.project import Project
from runner.providers.base import Checkpoint, Event, Job, NotFoundError, NotOfferedError
from runner.providers.hosts import find_host
from runner.upkeep.hosted_news import follow_hosted, unfinished
from tests.fakes import MemoryProvider, StillClock

JOB = Job(id="ftjob-1", status="queued", model="base-1", training_file="file-1", created_at=7)
KNOWN = {
    "id": "ftjob-1",
    "provider": "openai",
    "status": "running",
    "recipe": "faq",
    "run": "default",
    "method": "supervised",
    "base_model": "gpt-4.1-mini-2025-04-14",
}


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
    monkeypatch.setattr("runner.upkeep.hosted_news.known_jobs", lambda *_: list(jobs))
    follow_hosted(Project(root=tmp_path), Operator(clock=clock), lambda _, news: told.append(news))
    return told, clock


def test_a_job_is_asked_about_until_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, providers: dict[str, MemoryProvider]
) -> None:
    told, clock = follow(tmp_path, monkeypatch, KNOWN)

    event = {"created_at": 1, "level": "info", "message": "Created ftjob-1", "type": "message", "data": {}}
    unsaid = {
        "trained_tokens": None,
        "error": None,
        "created_at": 7,
        "finished_at": None,
        "events": [event],
        "checkpoints": [{"step": 2, "model": "ft:ftjob-1:ckpt-step-2", "metrics": {}}],
        "price": None,
        "arithmetic": None,
    }
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


def test_what_was_trained_has_its_price(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, providers: dict[str, MemoryProvider]
) -> None:
    """In the words of a plan; a model without an entry has an unknown price."""
    providers["openai"].jobs["ftjob-1"] = replace(JOB, trained_tokens=1_234_567)
    providers["openai"].statuses = ["succeeded"] * 2
    providers["openai"].jobs["ftjob-2"] = replace(JOB, trained_tokens=5)
    told, _ = follow(tmp_path, monkeypatch, KNOWN, {**KNOWN, "id": "ftjob-2", "base_model": "own"})

    model = find_host("openai").model(KNOWN["base_model"])
    assert model
    table = f"table of {model.price_as_of}, {model.price_source}"
    assert [
        ("$6.18", f"1,234,567 trained tokens × $5 per million tokens ({table}), rounded up"),
        ("unknown", "5 trained tokens × unknown price"),
    ] == [(item["price"], item["arithmetic"]) for item in told[0]]


@pytest.mark.parametrize("error", [NotFoundError("no such route"), NotOfferedError("not offered")])
def test_a_host_may_have_no_checkpoints(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    providers: dict[str, MemoryProvider],
    error: Exception,
) -> None:
    def refuse(*_: object) -> None:
        raise error

    providers["openai"].statuses = ["succeeded"]
    monkeypatch.setattr(MemoryProvider, "list_checkpoints", refuse)
    told, _ = follow(tmp_path, monkeypatch, KNOWN)

    assert [("succeeded", [])] == [(item["status"], item["checkpoints"]) for item in told[0]]


def test_the_last_checkpoints_are_told_without_what_json_has_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, providers: dict[str, MemoryProvider]
) -> None:
    metrics = {"train_loss": 0.5, "full_valid_loss": float("inf")}
    kept = [Checkpoint(id=f"c{step}", step=step, model=f"m{step}", metrics=metrics) for step in range(102)]
    providers["openai"].statuses = ["succeeded"]
    monkeypatch.setattr(MemoryProvider, "list_checkpoints", lambda *_: kept)
    told, _ = follow(tmp_path, monkeypatch, KNOWN)

    assert [
        {"step": step, "model": f"m{step}", "metrics": {"train_loss": 0.5}} for step in range(2, 102)
    ] == told[0][0]["checkpoints"]
