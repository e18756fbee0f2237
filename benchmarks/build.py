"""Builds one dataset with this project and with others, in turn, and prints how they compare.

With `--with plain` it also holds that both wrote the same bytes and found the same problems.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from records import FORMATS, write_project

HERE = Path(__file__).parent
SAMPLE_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One build: seconds by the clock, processor seconds and peak memory of all its processes together."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def main() -> None:
    """Generate the records, build them with each contender in turn, print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--with",
        dest="others",
        nargs="*",
        default=["plain"],
        help="plain, few, datasets, datasets-checked (or either with -alone), polars or duckdb",
    )
    parser.add_argument(
        "--contender-python", default=sys.executable, help="the Python that has what others need"
    )
    parser.add_argument("--only", nargs="*", help="such as crawl-jsonl guide-json")
    parser.add_argument("--folder", type=Path, help="keep the projects here")
    arguments = parser.parse_args()
    cases = [(shape, suffix) for shape, suffixes in FORMATS.items() for suffix in suffixes]
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    python = sys.version.split()[0]
    print(f"{arguments.records} records, {os.cpu_count()} cores, Python {python}, medians; load {load}")
    print(f"{'case':<14}{'who':<18}{'s':>8}{'CPU s':>8}{'records/s':>11}{'peak MB':>9}{'time':>8}{'CPU':>8}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        for shape, suffix in cases:
            if arguments.only and f"{shape}-{suffix}" not in arguments.only:
                continue
            project = folder / f"{shape}-{suffix}-{arguments.records}"
            recipe = project / f"{shape}-{suffix}.yaml"
            if not recipe.exists():
                recipe = write_project(project, shape, suffix, arguments.records)
            compare(recipe, arguments)
            if arguments.folder is None:
                shutil.rmtree(project)


def compare(recipe: Path, arguments: argparse.Namespace) -> None:
    """Run the contenders in turn, there and back, so that what else the machine does falls on all of them."""
    names = ["ours", *arguments.others]
    runs: dict[str, list[Measured]] = {name: [] for name in names}
    for number in range(arguments.rounds):
        for name in names if number % 2 == 0 else reversed(names):
            runs[name].append(build(name, recipe, arguments.contender_python))
    base = _median(runs["ours"])
    for name in names:
        middle = _median(runs[name])
        print(
            f"{recipe.stem:<14}{name:<18}{middle.wall_s:>8.2f}{middle.cpu_s:>8.2f}"
            f"{arguments.records / middle.wall_s:>11.0f}{middle.peak_mb:>9.0f}"
            f"{middle.wall_s / base.wall_s:>7.2f}x{middle.cpu_s / base.cpu_s:>7.2f}x",
            flush=True,
        )
    if "plain" in runs:
        same_bytes = _contents(_out(recipe, "plain")) == _contents(_out(recipe, "ours"))
        ours, plain = _findings(recipe, "ours"), _findings(recipe, "plain")
        print(
            f"{recipe.stem:<14}{'same bytes' if same_bytes else 'DIFFERENT BYTES'}, "
            f"{'same findings' if ours == plain else 'DIFFERENT FINDINGS'}: {ours}",
            flush=True,
        )
        if not same_bytes or ours != plain:
            sys.exit(1)


def build(name: str, recipe: Path, python: str) -> Measured:
    """Build once from nothing."""
    out = _out(recipe, name)
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(recipe.parent / ".finetune", ignore_errors=True)
    out.mkdir(parents=True)
    command = [python, str(HERE / "contenders.py"), name, str(recipe), str(out)]
    if name == "ours":
        command = [sys.executable, "-m", "runner", "build", str(recipe), "--out", str(out), "--json"]
    return measure(command, out / "result.json")


def measure(command: list[str], result: Path) -> Measured:
    """Run a command, its standard output going to a file, and watch all its processes."""
    with result.open("wb") as output, tempfile.TemporaryFile() as complaints:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=complaints)
        peak = _Peak(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        peak_mb = peak.stop()
        if process.returncode:
            complaints.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{result.read_text()}{complaints.read().decode()}")
    return Measured(wall_s=wall_s, cpu_s=usage.ru_utime + usage.ru_stime, peak_mb=peak_mb)


class _Peak:
    """Samples the memory of a process and its descendants; memory they share is counted once."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.most = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def stop(self) -> float:
        """The most seen, in MB of a million bytes."""
        self.ended.set()
        self.thread.join()
        return self.most * 1024 / 1e6

    def _watch(self) -> None:
        while not self.ended.wait(SAMPLE_S):
            self.most = max(self.most, sum(map(_kilobytes, _tree(self.pid))))


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task").glob("*/children")
        pids = [int(child) for listing in children for child in listing.read_text().split()]
    except OSError:
        return [pid]
    return [pid, *(below for child in pids for below in _tree(child))]


def _kilobytes(pid: int) -> int:
    """The proportional share of memory, which sums up without counting shared pages twice."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _median(runs: list[Measured]) -> Measured:
    return Measured(
        wall_s=statistics.median(run.wall_s for run in runs),
        cpu_s=statistics.median(run.cpu_s for run in runs),
        peak_mb=max(run.peak_mb for run in runs),
    )


def _out(recipe: Path, name: str) -> Path:
    return recipe.parent / "out" / name


def _findings(recipe: Path, name: str) -> dict[str, int]:
    found = json.loads((_out(recipe, name) / "result.json").read_text(encoding="utf-8"))
    return {item["code"]: item["count"] for item in found["dataset"]["findings"]} if name == "ours" else found


def _contents(folder: Path) -> list[bytes]:
    return [(folder / f"{side}.jsonl").read_bytes() for side in ("train", "validation")]


if __name__ == "__main__":
    main()
