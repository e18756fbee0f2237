"""The confined process of a build: takes pieces of sources, gives back checked and encoded examples."""

import gc
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from runner.canonical import first_number
from runner.dataset.batch import END, Batch, read_exactly, write_batch
from runner.dataset.checks import DatasetLimits
from runner.dataset.checks.checker import Examiner, Suppressions, make_setup
from runner.dataset.checks.columns import Columns, Examined
from runner.dataset.conversation import ExampleBytes, TextBytes, rich_bytes, text_bytes
from runner.dataset.index import identity_digest, line_of_digests
from runner.dataset.measure import measure
from runner.dataset.split import Side, side_of
from runner.dataset.tokens import TokenCounter, make_counter
from runner.errors import InvalidInputError
from runner.examples.content import Content, Rich
from runner.examples.message_lists import Turn
from runner.examples.read import ExampleMaker
from runner.examples.wire import Request, decode_request
from runner.examples.worker import confine, own_stdout
from runner.issues import Issue
from runner.recipe.model import Source
from runner.sources.base import BLOCK_ROWS, Record, Share, only_records
from runner.sources.pieces import Piece
from runner.sources.read import read_file, read_piece

# The clock that bounds a record starts again after so many.
_CLOCKED_RECORDS = 32


def main() -> None:
    """Serve pieces until there are no more."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})
    stdin, stdout = sys.stdin.buffer, own_stdout()
    head = json.loads(stdin.readline())
    request = decode_request(read_exactly(stdin, head["size"]))
    counter, limits = make_counter(head["counter"]), DatasetLimits(**head["limits"])
    worker = Worker(request, counter, limits)
    confine(request.bounds)
    # Records hold no cycles; looking for them takes a tenth of the time.
    gc.disable()
    while line := stdin.readline():
        job = json.loads(line)
        content, proof = (read_exactly(stdin, size) for size in job.pop("sizes"))
        for batch in worker.batches(job, content, proof):
            write_batch(stdout, batch)
            # All of it, before the next is made: the others may wait for this one.
            stdout.flush()
        if "path" in job:
            write_batch(stdout, END)
        stdout.flush()


# The row of an example, its side, its identity, and the suppressions that apply.
_Origin = tuple[int, Side, bytes, tuple[int, ...]]
# Its tokens, its bytes, and what shows in it.
_Whole = tuple[int, TextBytes | ExampleBytes, Examined]


class Worker:
    """Makes batches, and gives none for a piece with anything to report."""

    def __init__(self, request: Request, counter: TokenCounter, limits: DatasetLimits) -> None:
        self.request = request
        self.counter = counter
        checks = request.recipe.checks
        self.examiner = Examiner(make_setup(limits, counter.margin, checks))
        self.suppressions = Suppressions(checks)
        self.maker = ExampleMaker(request.recipe, request.folder, request.project)

    def batches(self, job: dict[str, Any], content: bytes, proof: bytes) -> Iterator[Batch | None]:
        """What the records of a piece make, or those of a whole file in several batches."""
        source, file = self.request.recipe.sources[job["source"]], job["file"]
        clock(self.request.bounds.read_s)
        try:
            if "path" in job:
                yield from self.file_batches(job["path"], source, file, Share(*job["share"]))
            else:
                found = read_piece(Piece(content=content, proof=proof, **job["how"]), source, file)
                yield None if found is None else self.batch(*found)
        except (InvalidInputError, UnicodeError, MemoryError, RecursionError):
            # Reading record by record tells what it is.
            yield None

    def file_batches(self, path: str, source: Source, file: str, share: Share) -> Iterator[Batch | None]:
        """The batches of a file that cannot be cut, one for each block of rows."""
        items = read_file(Path(path), source, file, self.request.project.grants, share)
        for _, some in groupby(items, _block_of):
            records = only_records(some)
            yield None if records is None else self.batch(records, 0)
            clock(self.request.bounds.read_s)

    def batch(self, records: list[Record], n_rows: int) -> Batch:
        """The examples of some records. Raises InvalidInputError."""
        made = _Made()
        for start in range(0, len(records), _CLOCKED_RECORDS):
            clock(self.request.bounds.record_s)
            self.make(records[start : start + _CLOCKED_RECORDS], made)
        return made.batch(n_rows)

    def make(self, records: list[Record], made: "_Made") -> None:
        """The examples of few records, one step after the other for all of them: short loops run faster."""
        split = self.request.recipe.split
        origins: list[_Origin] = []
        contents: list[Content] = []
        for record, found in zip(records, map(self.maker.conversations, records), strict=True):
            if found is None:
                continue
            key, group, holding, conversations = found
            made.n_records += 1
            side = side_of(key if group is None else group, split)
            ignored = self.suppressions.of(key, holding)
            for variant, content in conversations:
                origins.append((record.row, side, identity_digest(key, variant), ignored))
                contents.append(content)
        texts = [content for content in contents if not isinstance(content, Rich)]
        if len(texts) == len(contents):
            made.add(origins, self.texts_examined(texts))
        else:
            made.add(origins, [self.examined(content) for content in contents])

    def examined(self, content: Content) -> "_Whole":
        """Count, encode and check one example of any kind."""
        if not isinstance(content, Rich):
            return self.texts_examined([content])[0]
        conversation, n_tokens = measure(content, self.counter)
        return n_tokens, rich_bytes(content.line), self.examiner.examine(conversation)

    def texts_examined(self, contents: Sequence[list[Turn]]) -> "list[_Whole]":
        """As `examined`, of examples of text alone."""
        counts = [self.counter.count(turns) for turns in contents]
        written = [text_bytes(turns) for turns in contents]
        examined = self.examiner.examine_texts(contents, counts, written)
        return list(zip(counts, written, examined, strict=True))


class _Made:
    """The examples of a batch as they are made."""

    def __init__(self) -> None:
        self.n_records = 0
        self.lines: dict[Side, list[bytes]] = {"training": [], "validation": []}
        self.n_tokens: dict[Side, int] = {"training": 0, "validation": 0}
        self.index: list[str] = []
        self.examined = Columns()

    def add(self, origins: "list[_Origin]", whole: "list[_Whole]") -> None:
        """Append examples."""
        for (row, side, identity, ignored), (n_tokens, written, examined) in zip(origins, whole, strict=True):
            self.n_tokens[side] += n_tokens
            self.lines[side].append(written.line)
            self.index.append(line_of_digests(identity, written.digest, side))
            self.examined.add(row, first_number(identity), side, examined, ignored)

    def batch(self, n_rows: int) -> Batch:
        """All of it."""
        training, validation = self.lines["training"], self.lines["validation"]
        return Batch(
            n_rows=n_rows,
            n_records=self.n_records,
            n_examples=(len(training), len(validation)),
            n_tokens=(self.n_tokens["training"], self.n_tokens["validation"]),
            training=b"".join(training),
            validation=b"".join(validation),
            index="".join(self.index).encode("ascii"),
            examined=self.examined,
        )


def _block_of(item: Record | Issue) -> int:
    row = item.row if isinstance(item, Record) else item.place.row or 1
    return (row - 1) // BLOCK_ROWS


def clock(seconds: float) -> None:
    """End this process when the next step takes longer; processor time, so that waiting costs nothing."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    main()
