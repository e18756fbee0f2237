"""Values as plain text for a terminal; everything that came from files or servers is neutralised."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from runner.dataset.checks.hits import LEFT_OUT_CODE
from runner.dataset.left_out import left_out
from runner.dataset.value import Dataset, DatasetFile
from runner.display import counted, neutralise, one_line
from runner.lock.lockfile import LockedJob
from runner.planning.budget import total_price
from runner.planning.value import CreateJob, Planned, ReuseFile, Step, Upload, WatchJob
from runner.price import Price

if TYPE_CHECKING:
    from runner.examples.read import Example
    from runner.providers.base import Event, Job, RemoteFile, RemoteModel

SHOWN_LEFT_OUT = 5
HASH_CHARACTERS = 16
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


def example_text(example: "Example") -> str:
    """A rendered conversation with its origin."""
    variant = f" ({example.variant})" if example.variant else ""
    head = f"{example.file}: row {example.row}, key {key_text(example.key)}{variant}"
    turns = [f"  {message.role}: {_indented(message.content)}" for message in example.shown]
    return "\n".join([neutralise(head), *turns])


def key_text(key: str) -> str:
    """What identifies a record; of a hash, which stands for a record without a key, the beginning."""
    return key[:HASH_CHARACTERS] if _HASH.fullmatch(key) else one_line(key)


def dataset_text(dataset: Dataset) -> str:
    """Counts and hashes of a dataset, then what the checks found."""
    lines = [_dataset_line("training", dataset.training_file)]
    if dataset.validation_file:
        lines.append(_dataset_line("validation", dataset.validation_file))
    if dataset.n_near_repeats:
        lines += _left_out_lines(dataset)
    lines += [neutralise(str(item)) for item in dataset.findings if item.code != LEFT_OUT_CODE]
    if dataset.n_known:
        lines.append(f"in the baseline: {dataset.n_known:,} more findings")
    return "\n".join(lines)


def _left_out_lines(dataset: Dataset) -> Iterator[str]:
    """How many examples validation leaves out, the first of them, and what each repeats."""
    count = dataset.n_near_repeats
    yield f"left out of validation: {count:,} that nearly repeat training examples"
    first = list(islice(left_out(dataset), SHOWN_LEFT_OUT))
    yield from (f"  {one_line(item.place)} is {item.share} like {one_line(item.near)}" for item in first)
    if first and count > len(first):
        yield f"  and {count - len(first):,} more; --json lists all"


def plans_text(stages: Sequence[Planned]) -> str:
    """One plan, or several in the order in which they are run, with what they cost together."""
    if len(stages) == 1:
        return plan_text(stages[0])
    parts = [
        f"{number} of {len(stages)}, {neutralise(stage.loaded.run_name)}: {plan_text(stage)}"
        for number, stage in enumerate(stages, start=1)
    ]
    return "\n".join([*parts, f"total {_price_text(total_price(stages))}"])


def datasets_text(stages: Sequence[Planned]) -> str:
    """The datasets of the plans; where they differ, each is named."""
    texts = {stage.loaded.run_name: dataset_text(stage.dataset) for stage in stages}
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return "\n".join(
        f"{neutralise(name)}: {line}" for name, text in texts.items() for line in text.splitlines()
    )


def plan_text(planned: Planned) -> str:
    """The plan: where, what it costs, what is done and why."""
    plan = planned.plan
    target = planned.host.base_url or "on this machine"
    model = plan.model if planned.loaded.base else f"model {plan.model}"
    lines = [f"{plan.provider} ({target}), {neutralise(model)}"]
    lines += [f"  note: {neutralise(notice)}" for notice in plan.notices]
    if planned.refusal:
        return "\n".join([*lines, neutralise(planned.refusal)])
    if not plan.steps:
        result = plan.result.fine_tuned_model if plan.result else None
        return "\n".join([*lines, f"Nothing to do: {neutralise(result or 'the job')} is up to date."])
    lines += [f"  {_step_line(step)}" for step in plan.steps]
    lines.append(f"  {_price_text(plan.price)}")
    return "\n".join(lines)


def job_text(job: "Job", checkpoints: Sequence[str] = ()) -> str:
    """A job's state, a line each."""
    rows = [
        ("job", job.id),
        ("status", job.status),
        ("model", job.model),
        ("fine-tuned model", job.fine_tuned_model),
        ("trained tokens", f"{job.trained_tokens:,}" if job.trained_tokens else None),
        ("hyperparameters", ", ".join(f"{name} {value}" for name, value in job.hyperparameters.items())),
        ("checkpoints", ", ".join(checkpoints)),
        ("error", f"{job.error.code}: {job.error.message}" if job.error else None),
    ]
    return _aligned([(name, neutralise(value)) for name, value in rows if value])


def locked_job_text(job: LockedJob) -> str:
    """What the lockfile says of a job, a line each."""
    rows = [("job", job.id), ("status", job.status), ("fine-tuned model", job.fine_tuned_model)]
    return _aligned([(name, neutralise(value)) for name, value in rows if value])


def locked_jobs_text(jobs: Mapping[str, LockedJob | None], width: int | None = None) -> str:
    """Locked jobs by the name of their run, as a table."""
    known = {name: (job.status, job.id, job.fine_tuned_model or "") for name, job in jobs.items() if job}
    rows = [(name, *known.get(name, ("not run", "", ""))) for name in jobs]
    return table_text(("RUN", "STATUS", "JOB", "FINE-TUNED MODEL"), rows, width=width)


def event_text(event: "Event") -> str:
    """One event on one line, with its time in UTC."""
    level = "" if event.level == "info" else f"{event.level}: "
    return f"{time_text(event.created_at)}  {level}{one_line(event.message, limit=300)}"


def table_text(header: Sequence[str], rows: Iterable[Sequence[str]], *, width: int | None = None) -> str:
    """Columns under a header, as wide as they need to be.

    A table wider than `width` columns of a terminal goes on below itself, its first column again before the
    rest.
    """
    table = [tuple(header), *(tuple(one_line(cell, limit=100) for cell in row) for row in rows)]
    widths = [max(_width(row[column]) for row in table) for column in range(len(header))]
    blocks = (
        "\n".join(
            "  ".join(row[column] + " " * (widths[column] - _width(row[column])) for column in shown).rstrip()
            for row in table
        )
        for shown in _folded(widths, width)
    )
    return "\n\n".join(blocks)


def _folded(widths: Sequence[int], width: int | None) -> list[list[int]]:
    """The numbers of the columns that stand side by side, the first one in each part."""
    parts = [[0]]
    for column in range(1, len(widths)):
        taken = sum(widths[shown] + 2 for shown in parts[-1])
        if width is not None and len(parts[-1]) > 1 and taken + widths[column] > width:
            parts.append([0])
        parts[-1].append(column)
    return parts


def jobs_text(jobs: "Sequence[Job]", width: int | None = None) -> str:
    """Jobs as a table."""
    rows = [
        (job.id, job.status, time_text(job.created_at), job.model, job.fine_tuned_model or "") for job in jobs
    ]
    header = ("JOB", "STATUS", "CREATED", "MODEL", "FINE-TUNED MODEL")
    return table_text(header, rows, width=width) if rows else "no jobs"


def files_text(files: "Sequence[RemoteFile]", width: int | None = None) -> str:
    """Files as a table, folded to `width` columns of a terminal."""
    rows = [
        (file.id, f"{file.size_bytes:,}", time_text(file.created_at), file.purpose, file.filename)
        for file in files
    ]
    header = ("FILE", "BYTES", "CREATED", "PURPOSE", "NAME")
    return table_text(header, rows, width=width) if rows else "no files"


def models_text(models: "Sequence[RemoteModel]", width: int | None = None) -> str:
    """Models as a table, folded to `width` columns of a terminal."""
    rows = [(model.id, time_text(model.created_at), model.owned_by) for model in models]
    return table_text(("MODEL", "CREATED", "OWNED BY"), rows, width=width) if rows else "no models"


def time_text(seconds: int) -> str:
    """A provider's time in UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S") if seconds else ""


def _price_text(price: Price) -> str:
    return f"price: {neutralise(str(price))}"


def _dataset_line(name: str, file: DatasetFile) -> str:
    tokens = f"{file.n_tokens:,} tokens" if file.tokens_exact else f"~{file.n_tokens:,} tokens (estimated)"
    return (
        f"{name}: {counted(file.n_examples, 'example')}, {tokens}, "
        f"{file.size_bytes:,} bytes, sha256 {file.sha256[:16]}"
    )


def _step_line(step: Step) -> str:
    if isinstance(step, Upload):
        examples = counted(step.file.n_examples, "example")
        return f"+ upload {step.role} {step.filename} ({examples}): {step.reason}"
    if isinstance(step, ReuseFile):
        return f"= {step.role} {step.filename}: {step.reason}"
    if isinstance(step, CreateJob):
        return f"+ create job: {neutralise(step.reason)}"
    if isinstance(step, WatchJob):
        return f"= follow {step.job_id}: {step.reason}"
    raise AssertionError(f"BUG: a step of type {type(step).__name__}")


def _aligned(rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(f"{name.ljust(width)}{value}" for name, value in rows)


def _width(text: str) -> int:
    """The columns that a terminal takes for a text; Hangul and Han take two each."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _indented(text: str) -> str:
    return neutralise(text).replace("\n", "\n    ")
