"""A launcher of the tests: starts processes as torchrun does, and writes down what it was told.

python fake_launcher.py --written FILE --n-processes N ... -m MODULE ARGUMENTS...
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType


def main(arguments: list[str]) -> int:
    """Start every process; the first that fails ends the others."""
    Path(arguments[arguments.index("--written") + 1]).write_text("\n".join(arguments))
    n_processes = int(arguments[arguments.index("--n-processes") + 1])
    command = [sys.executable, *arguments[arguments.index("-m") :]]
    processes = [
        subprocess.Popen(command, env={**os.environ, "RANK": str(rank), "WORLD_SIZE": str(n_processes)})
        for rank in range(n_processes)
    ]

    def end(number: int, frame: FrameType | None) -> None:
        for process in processes:
            process.kill()

    signal.signal(signal.SIGTERM, end)
    while None in (codes := [process.poll() for process in processes]):
        if any(codes):
            end(signal.SIGTERM, None)
        time.sleep(0.02)
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
