"""Which faults there are, and which of them meet which kill point."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from tests.faults.bench import KINDS, Scenario

CREATE, UPLOAD = "POST /fine_tuning/jobs", "POST /files"
# What a lost or refused create can look like; the SDK would repeat every one of them.
CREATE_FAULTS = (
    "drop_before",
    "drop",
    "delay",
    "truncate",
    429,
    500,
    503,
    "429_after",
    "500_after",
    "503_after",
)
# The SDK repeats the first two by itself, which makes no file; the last one is sent once.
PART_REQUESTS = ("POST /uploads", "POST /uploads/upload-1/parts", "POST /uploads/upload-1/complete")
READS = (
    "GET /files",
    "GET /files/file-1",
    "GET /files/file-1/content",
    "GET /fine_tuning/jobs",
    "GET /fine_tuning/jobs/ftjob-1",
)
# The SDK repeats a read twice; three in a row get through to the runner.
READ_FAULTS = ("drop", "truncate", 500, 429, "duplicate")

Fault = tuple[tuple[str, tuple[Any, ...]], ...]


def all_faults() -> Iterator[Fault]:
    """Nothing; every create with every fault; every read three times with every fault; pairs of both."""
    yield ()
    for fault in CREATE_FAULTS:
        yield ((UPLOAD, (fault,)),)
        yield ((UPLOAD, (None, fault)),)
        yield ((CREATE, (fault,)),)
    yield ((UPLOAD, ("forget",)),)
    for read in READS:
        for fault in READ_FAULTS:
            yield ((read, (fault,) * 3),)
    for read in ("GET /fine_tuning/jobs", "GET /files"):
        for fault in ("drop", "500_after"):
            yield ((CREATE, (fault, fault)), (UPLOAD, (fault,)), (read, (500,) * 6))


def part_faults() -> Iterator[Fault]:
    """Every request of an upload in parts with every fault, once and more often than the SDK repeats it."""
    yield ()
    for request in PART_REQUESTS:
        for fault in CREATE_FAULTS:
            yield ((request, (fault,)),)
            yield ((request, (fault,) * 3),)
    yield ((PART_REQUESTS[2], ("drop",)), ("GET /files", (500,) * 6))


def killed(scenario: Scenario, steps: int, *, first: int = 0, every: int = 1) -> list[Scenario]:
    """The scenario killed at each, or every n-th, of the steps that its first run has."""
    return [replace(scenario, kills=(step,)) for step in range(first, steps, every)]


def random_scenario(seed: int) -> Scenario:
    """Up to three faulty requests with several faults each, and up to three kills."""
    random = Random(seed)
    faults = {}
    for request in random.sample([CREATE, UPLOAD, *READS], random.randint(0, 3)):
        words = CREATE_FAULTS if request.startswith("POST") else READ_FAULTS
        faults[request] = tuple(random.choice([None, *words]) for _ in range(random.randint(1, 4)))
    kills = tuple(random.randint(0, 40) for _ in range(random.randint(0, 3)))
    return Scenario(kind=random.choice(KINDS), faults=tuple(faults.items()), kills=kills)
