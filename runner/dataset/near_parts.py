"""The search for near repeats in several processes, each for a part of the training file."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from runner.dataset.near_repeats import Found, NearRepeat, Part, Search, find_in_part
from runner.dataset.watched import UNWATCHED, BuildWatch
from runner.examples.confinement import start_confined

# Below this another process costs more than it saves.
PARALLEL_BYTES = 8 << 20
# Each holds an index of its own, of up to 200 MB.
MAX_PROCESSES = 4
_START = "import sys; sys.path[:] = sys.argv[2:]; from runner.dataset.near_parts import main; main()"


def find_near_repeats(
    search: Search, watch: BuildWatch = UNWATCHED, n_processes: int | None = None
) -> dict[int, NearRepeat] | None:
    """The nearest line of the training file, the first of equal ones, by the line of the validation file.

    None where that takes more than the most steps: then nearly all lines resemble each other. Neither depends
    on the number of processes.
    """
    count = n_processes or _choose(search.training.stat().st_size)
    parts = [Part(number, count) for number in range(count)]
    others = [start_confined(_START, _request(search, part), stderr=subprocess.DEVNULL) for part in parts[1:]]
    try:
        found = [find_in_part(search, parts[0], watch)]
        for part, process in zip(parts[1:], others, strict=True):
            found.append(_received(process) or find_in_part(search, part, watch))
    finally:
        for process in others:
            process.kill()
            process.communicate()
    if search.is_over(sum(part.n_steps for part in found)):
        return None
    return _joined(found)


def main() -> None:
    """Search a part, in a process of its own."""
    training, validation, threshold, max_steps, block_texts, part = json.loads(sys.argv[1])
    search = Search(Path(training), Path(validation), threshold, max_steps, block_texts)
    found = find_in_part(search, Part(*part))
    repeats = [[line, *near] for line, near in found.repeats.items()]
    sys.stdout.write(json.dumps([repeats, found.n_steps]))


def _request(search: Search, part: Part) -> str:
    files = str(search.training.resolve()), str(search.validation.resolve())
    return json.dumps([*files, *search[2:], part])


def _received(process: "subprocess.Popen[bytes]") -> Found | None:
    """What a process found; None where it came to no end."""
    output, _ = process.communicate()
    with suppress(ValueError):
        repeats, n_steps = json.loads(output)
        return Found({line: NearRepeat(near, share) for line, near, share in repeats}, n_steps)
    return None


def _joined(parts: list[Found]) -> dict[int, NearRepeat]:
    """The nearest of all parts, of equal ones that of the first line."""
    nearest: dict[int, NearRepeat] = {}
    for part in parts:
        for line, near in part.repeats.items():
            nearest[line] = min(near, nearest.get(line, near), key=_order_of)
    return dict(sorted(nearest.items()))


def _order_of(near: NearRepeat) -> tuple[float, int]:
    return -near.share, near.training_line


def _choose(size_bytes: int) -> int:
    if size_bytes < PARALLEL_BYTES:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MAX_PROCESSES)


if __name__ == "__main__":
    main()
