"""Times commands that have nothing to do, beside a bare Python and, where it is installed, `dvc repro`."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from records import write_project

ROUNDS = 7
# Done, or done and refused: a plan for more bytes than the host takes.
ENDED = (0, 1)
STAGE = """\
stages:
  build:
    cmd: {python} -c "open('lines.txt', 'w').write('done')"
    deps: [data.jsonl]
    outs: [lines.txt]
"""


def main() -> None:
    """Build once, then time each command in turn, so that what else the machine does falls on all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--dvc", type=Path, help="the program dvc, in an environment of its own")
    parser.add_argument("--folder", type=Path, help="where there is room")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
        project = Path(scratch) / "noop"
        recipe = write_project(project, "crawl", "jsonl", arguments.records)
        size_mb = (project / "data.jsonl").stat().st_size / 1e6
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "finetune --help": [sys.executable, "-m", "runner", "--help"],
            "finetune validate": [sys.executable, "-m", "runner", "validate", recipe.name],
            "finetune plan": [sys.executable, "-m", "runner", "plan", recipe.name],
        }
        if arguments.dvc:
            commands["dvc repro"] = [str(arguments.dvc), "repro", "--quiet"]
            prepare_dvc(project, arguments.dvc)
        run(commands["finetune plan"], project)
        print(f"{arguments.records} records, {size_mb:.0f} MB, {os.cpu_count()} cores; medians of {ROUNDS}")
        report(commands, project)


def report(commands: dict[str, list[str]], project: Path) -> None:
    """Print the median of each command, and how often bare Python starts meanwhile."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            times[name].append(run(command, project))
    medians = {name: [*map(statistics.median, zip(*taken, strict=True))] for name, taken in times.items()}
    bare_s, bare_cpu_s = medians["python -c pass"]
    print(f"{'':<18}{'ms':>8}{'x bare':>8}{'CPU ms':>8}{'x bare':>8}")
    for name, (wall_s, cpu_s) in medians.items():
        by_clock = f"{wall_s * 1000:>8.0f}{wall_s / bare_s:>8.1f}"
        print(f"{name:<18}{by_clock}{cpu_s * 1000:>8.0f}{cpu_s / bare_cpu_s:>8.1f}", flush=True)


def prepare_dvc(project: Path, dvc: Path) -> None:
    """Let dvc know the source and a stage that reads it, and run it once."""
    (project / "dvc.yaml").write_text(STAGE.format(python=sys.executable), encoding="utf-8")
    for command in (["git", "init", "-q"], [str(dvc), "init", "-q"], [str(dvc), "repro", "--quiet"]):
        run(command, project)


def run(command: list[str], project: Path) -> tuple[float, float]:
    """How long a command takes, and its processor time, in seconds; it has to come to its end."""
    # dvc tells its makers how it is used unless it is told not to. Installed programs are compiled already.
    environment = {**os.environ, "CI": "", "DVC_NO_ANALYTICS": "1", "PYTHONDONTWRITEBYTECODE": ""}
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=project, stdout=output, stderr=output, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        taken = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in ENDED:
            output.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{output.read().decode()}")
    return taken, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
