"""Writes a job's curves as event files of TensorBoard."""

import shutil
from pathlib import Path

from runner.errors import MissingExtraError
from runner.sharing.record import JobRecord


def write(record: JobRecord, folder: Path) -> str:
    """Write one run below a log folder, in place of an earlier copy of it; where it lies.

    Raises MissingExtraError.
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError as error:
        raise MissingExtraError(
            f"TensorBoard's files need the extra `tensorboard` ({error.name} is missing): "
            "pip install 'finetune-runner[tensorboard]'"
        ) from error
    target = folder / record.job_id
    written = folder / f".{record.job_id}"
    shutil.rmtree(written, ignore_errors=True)
    writer = EventFileWriter(str(written))
    for name, points in record.curves.items():
        for point in points:
            value = Summary.Value(tag=name, simple_value=point.value)
            writer.add_event(Event(wall_time=point.at, step=point.step, summary=Summary(value=[value])))
    for name, score in record.scores.items():
        value = Summary.Value(tag=f"evaluation/{name}", simple_value=score)
        writer.add_event(Event(wall_time=record.ended_at, summary=Summary(value=[value])))
    writer.close()
    shutil.rmtree(target, ignore_errors=True)
    written.rename(target)
    return str(target)
