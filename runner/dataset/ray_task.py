"""What a process of a Ray cluster does: hands pieces to a confined process of its own, as any build does."""

import json
import tempfile
import weakref
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import runner
from runner.canonical import canonical_json
from runner.dataset.batch import Batch, write_batch
from runner.dataset.cache import BUILD_VERSION
from runner.dataset.checks import DatasetLimits
from runner.dataset.jobs import Job
from runner.dataset.tokens import TokenCounter, counter_spec, make_counter
from runner.dataset.workers import Trouble, Workers
from runner.errors import RunnerError
from runner.examples.templates import template_files
from runner.examples.wire import Request, decode_request, encode_request
from runner.project import Project
from runner.sources.pieces import Piece

VERSION = f"{runner.__version__}, build {BUILD_VERSION}"


def encode_order(request: Request, counter: TokenCounter, limits: DatasetLimits) -> bytes:
    """All that a process elsewhere needs beside the pieces: the recipe and its template files.

    Raises RunnerError for a template outside the project, which is not for other machines.
    """
    project = request.project
    paths = template_files(request.recipe, request.folder, project).values()
    outside = next((path for path in paths if not path.is_relative_to(project.root)), None)
    if outside is not None:
        raise RunnerError(f"{outside}: found a template outside the project, expected none on a cluster.")
    return canonical_json(
        {
            "version": VERSION,
            "request": encode_request(request).decode("utf-8"),
            "counter": counter_spec(counter),
            "limits": asdict(limits),
            "folder": project.name_of(request.folder),
            "templates": {project.name_of(path): path.read_bytes().decode("latin-1") for path in paths},
        }
    )


def make_batches(table: Any, order: bytes) -> Any:
    """From an Arrow table of pieces (`job`, `content`, `proof`) to one of batches (`made`), in its order.

    Nothing is made of a piece that has anything to report. Raises RunnerError where this machine has another
    version of finetune-runner.
    """
    import pyarrow as pa

    return pa.table({"made": pa.array([_made(row, order) for row in table.to_pylist()], pa.large_binary())})


def piece_row(job: Job, piece: Piece) -> dict[str, Any]:
    """A piece as a row of the table that `make_batches` takes."""
    line = {"number": job.number, "source": job.source, "file": job.file}
    how = {"opens": piece.opens, "inside": piece.inside, "n_probes": piece.n_probes}
    return {"job": json.dumps([line, how]), "content": piece.content, "proof": piece.proof}


class _Bench:
    """A confined process, and the folder it takes for the project; both go when nobody holds this."""

    def __init__(self, workers: Workers, folder: "tempfile.TemporaryDirectory[str]") -> None:
        self.workers = workers
        stack = ExitStack()
        stack.enter_context(folder)
        stack.enter_context(workers)
        weakref.finalize(self, stack.close)


def _made(row: dict[str, Any], order: bytes) -> bytes:
    line, how = json.loads(row["job"])
    piece = Piece(content=row["content"], proof=row["proof"], **how)
    stream = BytesIO()
    write_batch(stream, _batch(Job(path="", piece=piece, **line), order))
    return stream.getvalue()


def _batch(job: Job, order: bytes) -> Batch | None:
    try:
        ((_, batch),) = _bench(order).workers.batches(iter([job]))
    except Trouble:
        # The process may have died of it.
        _bench.cache_clear()
        return None
    return batch


@lru_cache(maxsize=1)
def _bench(order: bytes) -> _Bench:
    value = json.loads(order)
    if value["version"] != VERSION:
        raise RunnerError(
            f"found finetune-runner {VERSION} on a machine of the cluster, expected {value['version']}. "
            "Install the same one everywhere."
        )
    folder = tempfile.TemporaryDirectory(prefix="finetune-")
    root = Path(folder.name).resolve()
    for name, content in value["templates"].items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("latin-1"))
    (root / value["folder"]).mkdir(parents=True, exist_ok=True)
    request = replace(
        decode_request(value["request"].encode("utf-8")),
        folder=(root / value["folder"]).resolve(),
        project=Project(root=root),
    )
    limits = DatasetLimits(**value["limits"])
    return _Bench(Workers(request, make_counter(value["counter"]), limits, 1), folder)
