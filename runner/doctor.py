"""Looks over the set-up on this machine: Python, packages, disk, GPU, project, service, host entries."""

import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

import runner
from runner.display import one_line
from runner.errors import InvalidInputError, RunnerError
from runner.execution.journal import Journal
from runner.operator import Operator
from runner.project import Project
from runner.providers.hosts import find_host, host_names
from runner.providers.local_service import service_state
from runner.providers.probe import Finding, State

DISTRIBUTION = "finetune-runner"
OLDEST_PYTHON = (3, 11)
# Building a dataset and keeping a small model needs about that much; bytes.
LITTLE_DISK, NO_DISK = 2 << 30, 100 << 20
GPU_TIMEOUT_S = 10
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?.*?(?:;.*extra == ['\"](?P<extra>[\w-]+)['\"])?$"
)


def look_over(project: Project, operator: Operator) -> list[Finding]:
    """Everything on this machine that runs depend on; nothing is started, sent or changed."""
    return [
        _python(),
        *_packages(),
        _disk(project.root),
        _gpu(),
        *_state(project),
        _service(project),
        *_hosts(project, operator),
    ]


def _python() -> Finding:
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding(name="python", state="fail", detail=detail, advice="Use Python 3.11 or later.")
    return Finding(name="python", state="ok", detail=detail)


def _packages() -> Iterator[Finding]:
    """The installed version, and for every extra what is missing."""
    yield Finding(name="finetune", state="ok", detail=runner.__version__)
    try:
        required = metadata(DISTRIBUTION).get_all("Requires-Dist") or []
    except PackageNotFoundError:
        yield Finding(
            name="extras",
            state="warn",
            detail=f"{DISTRIBUTION} is not installed as a package",
            advice="Install it with pip.",
        )
        return
    groups: dict[str, list[str]] = {}
    for match in filter(None, map(_REQUIREMENT.fullmatch, required)):
        groups.setdefault(match["extra"] or "", []).append(match["name"])
    yield _group("", groups.pop("", []))
    for extra, names in sorted(groups.items()):
        if extra != "dev":
            yield _group(extra, names)


def _group(extra: str, names: list[str]) -> Finding:
    installed = {name: found for name in names if name != DISTRIBUTION and (found := _version(name))}
    missing = [name for name in names if name != DISTRIBUTION and name not in installed]
    name = f"extra {extra}" if extra else "packages"
    if not missing:
        detail = ", ".join(f"{name} {found}" for name, found in installed.items()) or "complete"
        return Finding(name=name, state="ok", detail=detail)
    if not extra:
        advice = f"pip install {DISTRIBUTION}"
        return Finding(name=name, state="fail", detail=f"missing: {', '.join(missing)}", advice=advice)
    # Only what the default provider needs is missed by everybody.
    state: State = "warn" if extra == "local" else "ok"
    advice = f"pip install '{DISTRIBUTION}[{extra}]' adds it."
    return Finding(name=name, state=state, detail=f"not installed: {', '.join(missing)}", advice=advice)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free
    detail = f"{free / (1 << 30):,.1f} GiB free"
    if free >= LITTLE_DISK:
        return Finding(name="disk", state="ok", detail=detail)
    advice = "Make room; `.finetune/` holds datasets and models, and trained models go with it."
    return Finding(name="disk", state="fail" if free < NO_DISK else "warn", detail=detail, advice=advice)


def _gpu() -> Finding:
    """What NVIDIA's own tool sees; torch would take seconds to ask."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Finding(name="gpu", state="ok", detail="no NVIDIA GPU found; this machine trains on its CPU")
    command = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(  # noqa: S603 - the vendor's tool with our arguments
            command, capture_output=True, text=True, timeout=GPU_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(
            name="gpu", state="warn", detail=one_line(str(error)), advice="Check the GPU's driver."
        )
    return Finding(name="gpu", state="ok", detail=one_line("; ".join(done.stdout.split("\n")).strip("; ")))


def _state(project: Project) -> Iterator[Finding]:
    if not project.state.exists() and not project.state.is_symlink():
        yield Finding(name="state", state="ok", detail=f"{project.state} is made by the first build")
        return
    try:
        state = project.make_state()
    except (RunnerError, OSError) as error:
        yield Finding(name="state", state="fail", detail=one_line(str(error), limit=200), advice="")
        return
    writable = os.access(state, os.W_OK)
    yield Finding(
        name="state",
        state="ok" if writable else "fail",
        detail=f"{state}" if writable else f"{state} cannot be written",
        advice="" if writable else "Give yourself the right to write there.",
    )
    held = [path for path in sorted((state / "locks").glob("*.lock")) if _is_held(path)]
    if held:
        detail = f"{len(held)} held: a run is being started, or a lockfile written, by another process"
        yield Finding(
            name="locks", state="warn", detail=detail, advice="Wait for it; it ends with its process."
        )
    else:
        yield Finding(name="locks", state="ok", detail="none held")
    yield from _journals(sorted((state / "journal").glob("*.jsonl")))


def _is_held(path: Path) -> bool:
    with path.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _journals(paths: list[Path]) -> Iterator[Finding]:
    problems = []
    for path in paths:
        try:
            n_open = len(Journal(path).open_intents())
        except RunnerError as error:
            problems.append(Finding(name="journal", state="fail", detail=str(error)))
            continue
        if n_open:
            detail = f"{path.name}: {n_open} sent without a known outcome"
            advice = "Run its recipe again: it looks for the result before anything is sent."
            problems.append(Finding(name="journal", state="warn", detail=detail, advice=advice))
    none_open = Finding(name="journal", state="ok", detail=f"{len(paths)} kept, nothing open")
    yield from problems or [none_open]


def _service(project: Project) -> Finding:
    found = service_state(project.state)
    if found is None:
        return Finding(name="service", state="ok", detail="the local service does not run; a run starts it")
    where = f"{found.base_url}, process {found.pid}, {found.live_jobs} live jobs"
    if found.version == runner.__version__:
        return Finding(name="service", state="ok", detail=where)
    detail = f"{where}, of version {found.version}"
    return Finding(name="service", state="warn", detail=detail, advice="`finetune serve --stop` ends it.")


def _hosts(project: Project, operator: Operator) -> Iterator[Finding]:
    """Every entry that can be used, and whether its key is there; a broken one with all its problems."""
    for name in host_names(operator.user_hosts, project):
        try:
            host = find_host(name, operator.user_hosts, project)
        except InvalidInputError as error:
            for issue in error.issues:
                yield Finding(
                    name=f"host {name}", state="fail", detail=str(issue), advice="Repair the entry."
                )
            continue
        if host.is_local:
            continue
        key = "is set" if operator.environment.get(host.key_variable) else "is not set"
        detail = f"{host.base_url}, {host.key_variable} {key}"
        if host.origin:
            detail += f"; {host.origin} of this project, which gets its key once you allow it"
        yield Finding(name=f"host {name}", state="ok", detail=detail)
