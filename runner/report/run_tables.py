"""The figures and tables of a report, as texts in rows."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from runner.display import shown
from runner.lock.lockfile import LockedFile
from runner.price import shown_usd
from runner.providers.base import Checkpoint
from runner.report.profile import FileProfile
from runner.report.run_report import RunReport
from runner.report.terminal import time_text

SHOWN_RUNS = 20
SHOWN_SOURCES = 100
Table = dict[str, Any]
Named = Sequence[tuple[str, FileProfile]]


def figures(report: RunReport) -> list[tuple[str, str, str]]:
    """What a reader wants to know first: name, value, and `text` where the value is no number."""
    return [figure for figure in _figures(report) if figure[1]]


def _figures(report: RunReport) -> Iterator[tuple[str, str, str]]:
    job, locked = report.job, report.run.job if report.run else None
    status = job.status if job else locked.status if locked else "not run yet"
    yield "Job", status, "text"
    if locked is not None:
        yield "Model", locked.model, "text"
        yield "Method", locked.method, "text"
    result = report.evaluation.result("tuned") if report.evaluation else None
    if report.evaluation is not None and result is not None:
        decides = report.evaluation.deciding_grader
        for name, score in sorted(result.scores.items(), key=lambda item: item[0] != decides)[:2]:
            yield f"{name}, tuned", f"{score.mean:.3f}", ""
    if report.training is not None:
        yield "Training examples", f"{report.training.file.n_examples:,}", ""
    if report.validation is not None:
        yield "Held out", f"{report.validation.file.n_examples:,}", ""
    tokens = (job.trained_tokens if job else None) or (locked.trained_tokens if locked else None)
    if tokens:
        yield "Trained tokens", f"{tokens:,}", ""
    if job is not None and job.finished_at is not None:
        yield "Took", duration(job.finished_at - job.created_at), ""
    if report.price is not None:
        yield "Price", report.price.amount, ""


def duration(seconds: int) -> str:
    """A time span in its two largest units."""
    hours, rest = divmod(max(0, seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def file_table(profiles: Named) -> Table:
    """The files of the dataset."""
    rows = [
        (
            name,
            f"{item.file.n_examples:,}",
            f"{'' if item.tokens_exact else 'about '}{item.file.n_tokens:,}",
            f"{item.file.size_bytes:,}",
            f"{item.n_repeated:,}",
            f"{item.n_same_prompt:,}",
            f"{item.tokens.over:,}" if item.tokens.limit is not None else "–",
        )
        for name, item in profiles
    ]
    header = (
        "",
        "examples",
        "tokens",
        "bytes",
        "word for word again",
        "same prompt, other answer",
        "too long",
    )
    return {"header": header, "rows": rows}


def data_tables(profiles: Named) -> list[Table]:
    """Who speaks, and in which script the last message is."""
    names = [name for name, _ in profiles]
    return [
        {
            "title": "Messages by role",
            "header": ("role", *names),
            "rows": _counts([item.roles for _, item in profiles]),
        },
        {
            "title": "Answers by script",
            "header": ("script", *names),
            "rows": _counts([item.scripts for _, item in profiles]),
        },
    ]


def checkpoint_table(checkpoints: Sequence[Checkpoint]) -> Table | None:
    """The models that were kept on the way."""
    if not checkpoints:
        return None
    names = list(dict.fromkeys(name for item in checkpoints for name in item.metrics if name != "step"))
    rows = [
        (f"{item.step:,}", item.model, *(_measure(item.metrics.get(name)) for name in names))
        for item in checkpoints
    ]
    return {"header": ("step", "model", *names), "rows": rows}


def settings_table(report: RunReport) -> Table | None:
    """What was asked for and what the provider made of it."""
    job = report.run.job if report.run else None
    if job is None:
        return None
    names = list(dict.fromkeys([*job.requested, *job.resolved, *job.options]))
    rows = [
        (name, _value(job.requested.get(name, job.options.get(name))), _value(job.resolved.get(name)))
        for name in names
    ]
    rows.append(("seed", str(job.seed), ""))
    return {"header": ("", "asked for", "used"), "rows": rows}


def provenance_rows(report: RunReport) -> list[tuple[str, str, str]]:
    """Everything that says where a model comes from: name, value, and `id` where it is a hash or name."""
    return [(name, value, kind) for name, value, kind in _provenance(report) if value]


def _provenance(report: RunReport) -> Iterator[tuple[str, str, str]]:
    if report.price is not None:
        yield "price", str(report.price), ""
    evaluation = report.evaluation
    results = evaluation.results if evaluation else ()
    asked = [usd for result in results for usd in (result.usd, result.judge_usd)]
    if asked:
        known = None if None in asked else sum(amount or 0.0 for amount in asked)
        yield "price of the evaluation", shown_usd(known), ""
    run, job = report.run, report.job
    locked = run.job if run else None
    if locked is not None:
        yield "job", locked.id, "id"
        yield "provider", locked.provider, ""
        yield "tuned model", locked.fine_tuned_model or "", "id"
        yield "base model", locked.model, ""
        yield "base model's revision", locked.model_revision or "", "id"
        yield "base model's sha256", locked.model_sha256 or "", "id"
        yield "job digest", f"{locked.digest}, attempt {locked.attempt}", "id"
        for platform, digest in locked.weights.items():
            yield f"weights of {platform}", digest, "id"
    if job is not None:
        yield "started", f"{time_text(job.created_at)} UTC", ""
        yield "finished", f"{time_text(job.finished_at)} UTC" if job.finished_at else "", ""
    yield from _files(report)
    if run is not None:
        yield "recipe's sha256", run.recipe_sha256, "id"
    yield "commit that holds the lockfile", report.commit or "", "id"
    if evaluation is not None:
        yield "questions' sha256", evaluation.questions.sha256, "id"
        yield "graders' sha256", evaluation.graders_sha256, "id"
    for name, version in report.versions.items():
        yield name, version, ""


def _files(report: RunReport) -> Iterator[tuple[str, str, str]]:
    files: Iterable[tuple[str, LockedFile | None]] = (
        (("training file", report.run.training_file), ("validation file", report.run.validation_file))
        if report.run
        else ()
    )
    for name, locked in files:
        if locked is not None:
            yield name, locked.file_id or "", "id"
            yield f"{name}'s sha256", locked.file.sha256, "id"


def source_table(report: RunReport) -> Table:
    """The files that the dataset was made from."""
    rows = [(file.name, f"{file.size_bytes:,}", file.sha256[:16]) for file in report.sources[:SHOWN_SOURCES]]
    if len(report.sources) > SHOWN_SOURCES:
        rows.append((f"{len(report.sources) - SHOWN_SOURCES:,} more", "", ""))
    return {"header": ("file", "bytes", "sha256"), "rows": rows}


def past_table(report: RunReport) -> Table:
    """The runs before, latest first."""
    rows = [
        (
            past.at.replace("T", " ").removesuffix("Z"),
            past.profile,
            str(past.job.get("id", "")),
            str(past.job.get("status", "")),
            str(past.job.get("model", "")),
            past.reason,
        )
        for past in report.past[:SHOWN_RUNS]
    ]
    return {"header": ("when (UTC)", "profile", "job", "status", "model", "why"), "rows": rows}


def _counts(counted: Sequence[Any]) -> list[tuple[str, ...]]:
    names = list(dict.fromkeys(name for counts in counted for name in counts))
    return [(name, *(f"{counts.get(name, 0):,}" for counts in counted)) for name in names]


def _measure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _value(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else shown(value)
