"""Times how long commands take that do next to nothing, beside a bare `python -c pass`, in turn."""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "finetune --help": ["-m", "runner", "--help"],
    "finetune validate": ["-m", "runner", "validate", "recipes/online_guide.yaml"],
}


def main() -> None:
    """Print the median of each command, its processor time, and how often bare Python fits into it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, arguments in COMMANDS.items():
            runs[name].append(measure([sys.executable, *arguments]))
    bare_s, bare_cpu_s = medians(runs["python -c pass"])
    print(f"{'':<20}{'ms':>8}{'CPU ms':>8}{'time':>8}{'CPU':>8}")
    for name, seconds in runs.items():
        wall_s, cpu_s = medians(seconds)
        print(
            f"{name:<20}{wall_s * 1e3:>8.1f}{cpu_s * 1e3:>8.1f}"
            f"{wall_s / bare_s:>7.1f}x{cpu_s / bare_cpu_s:>7.1f}x"
        )


def measure(command: list[str]) -> tuple[float, float]:
    """Seconds by the clock, and of the processor."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


def medians(runs: list[tuple[float, float]]) -> tuple[float, float]:
    """The median of each of both."""
    return statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs)


if __name__ == "__main__":
    main()
