"""A host, a nursery and a project: runs a scenario and says what promise it broke."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from runner.canonical import sha256_bytes
from tests.fake_host import FakeHost, Metadata, start_fake_host
from tests.faults.nursery import AT_A_TIME, Child, Ended
from tests.small_project import RECIPE as SMALL_RECIPE
from tests.small_project import write_host_entry, write_project

MAX_RERUNS = 5
N_PARTS = 6
REPOSITORY = Path(__file__).parent.parent.parent
RECIPE = SMALL_RECIPE.replace("training:", "split:\n  validation: 0.4\ntraining:")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of host: `says_metadata` is what its entry claims, `in_parts` that files are sent in parts."""

    name: str
    metadata: Metadata
    says_metadata: bool = True
    serves_content: bool = True
    lag: int = 0
    in_parts: bool = False


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Faults per request, once each, and the step at which each of the first runs is killed.

    The command is `rerun` for a job that was run before all this, or `run`.
    """

    kind: Kind
    faults: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    kills: tuple[int, ...] = ()
    command: Literal["run", "rerun"] = "run"

    @property
    def n_jobs(self) -> int:
        """How many jobs there are in the end."""
        return 2 if self.command == "rerun" else 1

    @property
    def n_uploads(self) -> int:
        """How often a file is sent at most: every job has its own where the host keeps no metadata."""
        return 1 if self.kind.says_metadata else self.n_jobs

    def __str__(self) -> str:
        faults = ", ".join(f"{request}: {list(words)}" for request, words in self.faults)
        return f"{self.command} at {self.kind.name}; {faults or 'no fault'}; killed at {list(self.kills)}"


KINDS = (
    Kind(name="filters", metadata="filtered"),
    Kind(name="ignores the filter", metadata="unfiltered", serves_content=False),
    Kind(name="drops metadata", metadata="dropped", says_metadata=False),
    Kind(name="drops metadata, keeps content", metadata="dropped", says_metadata=False, serves_content=False),
    Kind(name="lags", metadata="filtered", lag=2),
)


# Hosts at which every file is sent in parts.
PART_KINDS = (
    Kind(name="filters, in parts", metadata="filtered", in_parts=True),
    Kind(
        name="drops metadata, keeps content, in parts",
        metadata="dropped",
        says_metadata=False,
        serves_content=False,
        in_parts=True,
    ),
)


class Bench:
    """One host and one nursery, used for one scenario after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0
        self.host, self._stop_host = start_fake_host()
        self.template = write_project(folder / "template", RECIPE).parent
        for kind in (*KINDS, *PART_KINDS):
            self._write_entry(kind)
        self.nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
        self.ask(self.child(self.template, KINDS[0], arguments=["build", "faq.yaml"]))
        self.ask(self.child(self.copy(), KINDS[0], forks=False))

    def stop(self) -> None:
        """End the nursery and the host."""
        assert self.nursery.stdin is not None and self.nursery.stdout is not None
        self.nursery.stdin.close()
        self.nursery.wait()
        self.nursery.stdout.close()
        self._stop_host()

    def copy(self) -> Path:
        """A project of its own, its dataset already built."""
        self.number += 1
        return Path(shutil.copytree(self.template, self.folder / f"project-{self.number}"))

    def child(self, folder: Path, kind: Kind, **options: Any) -> Child:
        """A command in a project, with the host's entry."""
        return Child(folder=str(folder), config=str(self._config(kind)), **options)

    def _config(self, kind: Kind) -> Path:
        return self.folder / f"metadata-{kind.says_metadata}-parts-{kind.in_parts}"

    def _write_entry(self, kind: Kind) -> None:
        config = self._config(kind)
        if config.exists():
            return
        entry = write_host_entry(config, self.host.url, keeps_metadata=kind.says_metadata, min_examples=1)
        if kind.in_parts:
            limits = "max_file_bytes = 1\nmax_upload_bytes = 536870912"
            entry.write_text(entry.read_text().replace("max_file_bytes = 536870912", limits))

    def ask(self, *children: Child) -> list[Ended]:
        """Run commands at the same time."""
        assert self.nursery.stdin is not None and self.nursery.stdout is not None
        self.nursery.stdin.write(json.dumps([vars(child) for child in children]) + "\n")
        self.nursery.stdin.flush()
        return [Ended(**ended) for ended in json.loads(self.nursery.stdout.readline())]

    def prepare(self, scenario: Scenario) -> FakeHost:
        """The host as the scenario wants it."""
        kind, host = scenario.kind, self.host
        host.reset()
        host.metadata, host.lag, host.serves_content = kind.metadata, kind.lag, kind.serves_content
        host.strict = True
        host.faults = {request: list(words) for request, words in scenario.faults}
        return host

    def play(self, scenario: Scenario) -> tuple[list[str], list[Ended]]:
        """Run, kill and run again until the work is done; returns what went wrong, and every run."""
        host, folder = self.prepare(scenario), self.copy()
        if scenario.command == "rerun":
            host.faults = {}
            self.ask(self.child(folder, scenario.kind))
            host.faults = {request: list(words) for request, words in scenario.faults}
        arguments = [scenario.command, "faq.yaml", "--yes"]
        kills: list[int | None] = [*scenario.kills, *[None] * MAX_RERUNS]
        runs: list[Ended] = []
        for kill_at in kills:
            runs += self.ask(self.child(folder, scenario.kind, kill_at=kill_at, arguments=arguments))
            if runs[-1].code == 0:
                break
        problems = [*_bad_endings(runs), *self._broken(folder, scenario)]
        shutil.rmtree(folder)
        return [f"{scenario}: {problem}" for problem in problems], runs

    def _broken(self, folder: Path, scenario: Scenario) -> list[str]:
        host, n_jobs = self.host, scenario.n_jobs
        problems = []
        if (n_jobs, n_jobs) != (len(host.jobs), host.charges):
            problems.append(f"{len(host.jobs)} jobs, {host.charges} charges")
        problems += [
            f"{count} uploads of the same bytes, {host.forgotten[digest]} lost by the host"
            for digest, count in host.uploads.items()
            if count > scenario.n_uploads + host.forgotten[digest]
        ]
        n_parts = sum(request.endswith("/parts") for request in host.requests)
        if not scenario.faults and n_parts > N_PARTS + AT_A_TIME * len(scenario.kills):
            problems.append(f"{n_parts} parts sent")
        return problems + _wrong_lock(folder / "faq.lock.yaml", host)


def check_all(benches: Sequence[Bench], scenarios: Sequence[Scenario]) -> list[str]:
    """Play scenarios on all benches at once; returns every broken promise."""

    def play_share(number: int) -> list[str]:
        share = scenarios[number :: len(benches)]
        return [problem for scenario in share for problem in benches[number].play(scenario)[0]]

    with ThreadPoolExecutor(len(benches)) as pool:
        return [problem for share in pool.map(play_share, range(len(benches))) for problem in share]


def _bad_endings(runs: Sequence[Ended]) -> list[str]:
    problems = [
        f"run {number} ended with {run.code}: {run.output}"
        for number, run in enumerate(runs)
        if run.code not in (0, 1, -9)
    ]
    if runs[-1].code != 0:
        problems.append(f"not finished after {len(runs)} runs: {runs[-1].output.splitlines()[-1:]}")
    return problems


def _wrong_lock(path: Path, host: FakeHost) -> list[str]:
    if not path.exists():
        return ["no lockfile"]
    locked = yaml.safe_load(path.read_text())["runs"]["default"]
    problems = []
    for role in ("training_file", "validation_file"):
        entry = locked["dataset"][role]
        digest = sha256_bytes(host.contents.get(entry.get("file_id"), b""))
        if digest != entry["sha256"]:
            problems.append(f"the lock's {role} {entry.get('file_id')} has other bytes")
    job = locked["job"] or {}
    expected = list(host.jobs.values())[-1] if host.jobs else {}
    for name in ("id", "status", "fine_tuned_model"):
        if job.get(name) != expected.get(name):
            problems.append(f"the lock's job has {name} {job.get(name)}, the host {expected.get(name)}")
    for role in ("training_file", "validation_file"):
        if expected.get(role) != locked["dataset"][role].get("file_id"):
            problems.append(f"the lock's {role} is not the job's")
    return problems
