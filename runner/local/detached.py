"""The service as a process of its own, started by the first command that needs it.

python -m runner.local.detached --state DIR
"""

import argparse
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from runner.errors import RunnerError
from runner.local.launcher import read_launcher
from runner.local.serve import Children, ServiceOptions, serve

IDLE_S = 600.0


def main(arguments: Sequence[str]) -> int:
    """Serve with a new token until idle for ten minutes; 1 with a sentence on stderr where that cannot be."""
    parser = argparse.ArgumentParser(prog="runner.local.detached")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--allow-network", action="store_true")
    parser.add_argument("--allow-code", action="store_true")
    parser.add_argument("--max-jobs", type=int, default=1)
    parser.add_argument("--processes", type=int)
    parser.add_argument("--launcher")
    parser.add_argument("--idle-s", type=float, default=IDLE_S)
    parser.add_argument("--worker", default=Children().worker)
    parser.add_argument("--inference", default=Children().inference)
    options = parser.parse_args(arguments)
    try:
        serve(
            options.state,
            token=secrets.token_urlsafe(32),
            options=ServiceOptions(
                allow_network=options.allow_network,
                allow_code=options.allow_code,
                trusts_clients=True,
                max_jobs=options.max_jobs,
                launcher=read_launcher(options.processes, options.launcher, Path.cwd()),
            ),
            idle_s=options.idle_s,
            children=Children(worker=options.worker, inference=options.inference),
        )
    except RunnerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
