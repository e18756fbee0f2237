"""The confined process of a count: takes blocks of lines, gives back their tokens."""

import gc
import json
import os
import signal
import sys
from array import array
from typing import Any, BinaryIO

from runner.examples.wire import Bounds
from runner.examples.worker import confine
from runner.tokens.blocks import Weighed, weigh_block
from runner.tokens.counters import counter_from

# A template that loops for ever ends with its process; the processor time of one block.
BLOCK_S = 60.0


def main() -> None:
    """Weigh blocks until there are no more. The first line says which counter."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    # One process for each core is enough.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    weigher = counter_from(json.loads(stdin.readline())).load()
    confine(Bounds())
    gc.disable()
    while line := stdin.readline():
        signal.setitimer(signal.ITIMER_PROF, BLOCK_S)
        write_weighed(stdout, weigh_block(stdin.read(int(line)), weigher))


def write_weighed(stream: BinaryIO, weighed: Weighed) -> None:
    """Send what was counted; the lengths are of this machine's byte order."""
    lengths = weighed.lengths.tobytes()
    head: dict[str, Any] = {
        "n_tokens": weighed.n_tokens,
        "n_inexact": weighed.n_inexact,
        "roles": weighed.roles,
        "size": len(lengths),
    }
    stream.write(json.dumps(head).encode("ascii") + b"\n" + lengths)
    stream.flush()


def read_weighed(stream: BinaryIO) -> Weighed:
    """Receive what was counted. Raises EOFError where the sender ended."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    head = json.loads(line)
    content = stream.read(head.pop("size"))
    return Weighed(**head, lengths=array("I", content))


if __name__ == "__main__":
    main()
