"""What the pages show, from what the service remembers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from runner.local.dashboard.known import KnownJob, News
from runner.local.rows import CheckpointRow, EventRow, JobRow
from runner.local.service.context import Service
from runner.page.charts import Series, key, line_chart, line_table

# More than any job here has steps.
MAX_EVENTS = 100_000
SHOWN_EVENTS = 60
# `dashboard --follow` asks at least this often, and a little more.
ASKED_S = 300
LOCAL = "local"
RECIPE = "finetune_recipe"
# What a job stays, by the words of OpenAI; the status of another host may be any.
ENDED = ("succeeded", "failed", "cancelled")
# What may be done with a job, by its status: the verb, and what becomes of the job in a sentence.
PAUSE = ("pause", "Training stops within two steps and can be resumed after its last checkpoint.")
RESUME = ("resume", "Training goes on after the last checkpoint, when it is the job's turn.")
CANCEL = ("cancel", "Training ends for good. What was trained since the last checkpoint is lost.")
ACTIONS = {
    "validating_files": (PAUSE, CANCEL),
    "queued": (PAUSE, CANCEL),
    "running": (PAUSE, CANCEL),
    "paused": (RESUME, CANCEL),
}
CURVES = (
    ("Loss", (("train_loss", "training"), ("valid_loss", "validation"))),
    (
        "Token accuracy",
        (("train_mean_token_accuracy", "training"), ("valid_mean_token_accuracy", "validation")),
    ),
)


def job_rows(service: Service, known: Mapping[str, KnownJob]) -> list[dict[str, Any]]:
    """Every job that is known: those of this service, newest first, then what lockfiles name besides."""
    own = [service.supervisor.current(job) for job in service.store.jobs()]
    rows = [_own_row(service, job, known.get(job.id)) for job in own]
    ids = {job.id for job in own}
    others = (job for job in known.values() if job.id not in ids)
    return [*rows, *(_known_row(job, service.known.news.get(job.id, News()), service.now) for job in others)]


def _own_row(service: Service, job: JobRow, known: KnownJob | None) -> dict[str, Any]:
    return {
        "id": job.id,
        "here": True,
        "has_page": True,
        "recipe": known.recipe if known else (job.metadata or {}).get(RECIPE, ""),
        "run": known.run if known else "",
        "provider": LOCAL,
        "status": job.status,
        "model": job.model,
        "result": job.fine_tuned_model if job.status == "succeeded" else "",
        "created": moment(job.created_at),
        "progress": progress(service, job),
        "asked": "",
        "trouble": "",
    }


def _known_row(job: KnownJob, news: News, now: float) -> dict[str, Any]:
    return {
        "id": job.id,
        "here": False,
        "has_page": news.asked_at is not None,
        "recipe": job.recipe,
        "run": job.run,
        "provider": job.provider,
        "status": news.status or job.status,
        "model": job.model,
        "result": news.fine_tuned_model or job.fine_tuned_model,
        "created": moment(news.created_at),
        "progress": None,
        "asked": _asked(news, now, is_over=(news.status or job.status) in ENDED),
        "trouble": news.trouble,
    }


def progress(service: Service, job: JobRow) -> dict[str, Any] | None:
    """How far a live job is, and when it will be done."""
    if not job.is_live and job.status != "paused":
        return None
    steps = _steps(service.store.events(job.id, limit=20))
    if steps is not None and job.estimated_finish is not None and job.is_live:
        steps["left"] = f"about {duration(job.estimated_finish - service.now)} left"
    return steps


def _steps(events: Sequence[EventRow]) -> dict[str, Any] | None:
    """The last step of events that come newest first."""
    last = next((event for event in events if event.type == "metrics"), None)
    step, total = (last.data.get(name) for name in ("step", "total_steps")) if last else (None, None)
    if not isinstance(step, int) or not isinstance(total, int) or total <= 0:
        return None
    return {"step": step, "total": total, "percent": f"{step / total:.0%}", "left": ""}


def job_view(service: Service, job: JobRow, known: KnownJob | None) -> dict[str, Any]:
    """Everything about one job of this service."""
    events = service.store.events(job.id, limit=MAX_EVENTS)
    told = [event for event in events if event.type != "metrics"]
    return {
        **_own_row(service, job, known),
        "method": job.method,
        "finished": moment(job.finished_at),
        "took": duration(job.finished_at - job.created_at) if job.finished_at else "",
        "trained_tokens": job.trained_tokens,
        "price": "",
        "can_chat": job.status == "succeeded" and job.fine_tuned_model is not None,
        "error": (job.error or {}).get("message", ""),
        "settings": [(name, str(value)) for name, value in {**job.hyperparameters, "seed": job.seed}.items()],
        "actions": [verb for verb, _ in ACTIONS.get(job.status, ())],
        "is_live": job.is_live,
        "charts": [chart for chart in map(_chart, _curves(events)) if chart],
        "events": [_shown_event(event) for event in told[:SHOWN_EVENTS]],
        "n_events": len(told),
        "checkpoints": [_checkpoint(row) for row in service.store.checkpoints(job.id)],
        "files": list(job.result_files),
    }


def _asked(news: News, now: float, *, is_over: bool) -> str:
    """When a host was asked, and what to do where nobody asks any more and the job goes on."""
    if news.asked_at is None:
        return "as locked"
    if now - news.asked_at < ASKED_S:
        return f"asked {duration(int(now - news.asked_at))} ago"
    again = "" if is_over else "; `finetune dashboard --follow` asks again"
    return f"as of {moment(int(news.asked_at))} UTC{again}"


def hosted_view(job: KnownJob, news: News, now: float) -> dict[str, Any]:
    """What the host of a job elsewhere said of it; nothing can be done with it from here."""
    row = _known_row(job, news, now)
    told = [event for event in news.events if event.type != "metrics"]
    return {
        **row,
        "progress": _steps(news.events) if row["status"] not in ENDED else None,
        "method": "",
        "finished": moment(news.finished_at),
        "took": duration(news.finished_at - news.created_at) if news.finished_at and news.created_at else "",
        "trained_tokens": news.trained_tokens,
        **_price(job, news, row["status"]),
        "can_chat": False,
        "error": news.error,
        "settings": [],
        "actions": [],
        "is_live": row["status"] not in ENDED,
        "charts": [chart for chart in map(_chart, _curves(news.events)) if chart],
        "events": [_shown_event(event) for event in told[:SHOWN_EVENTS]],
        "n_events": len(told),
        "checkpoints": [_checkpoint(row) for row in news.checkpoints],
        "files": [],
    }


def _price(job: KnownJob, news: News, status: str) -> dict[str, str]:
    """What a job at a host costs: by its trained tokens, or as planned where it did not end without any."""
    if news.price:
        return {"price": news.price, "arithmetic": news.arithmetic, "price_title": "Price"}
    if job.trained_tokens is None and status in ("failed", "cancelled"):
        return {"price": "", "arithmetic": "", "price_title": ""}
    title = "Price, planned" if job.trained_tokens is None else "Price"
    return {"price": job.price, "arithmetic": job.arithmetic, "price_title": title}


def moment(seconds: int | None) -> str:
    """A time in UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S") if seconds else ""


def duration(seconds: int) -> str:
    """A time span in its two largest units."""
    hours, rest = divmod(max(0, seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _shown_event(event: EventRow) -> dict[str, str]:
    return {"at": moment(event.created_at), "level": event.level, "message": event.message}


def _curves(events: Sequence[EventRow]) -> list[tuple[str, list[Series]]]:
    """The curves of a job by step; events come newest first."""
    found: dict[str, dict[float, float]] = {}
    for event in reversed(events):
        step = event.data.get("step")
        if event.type == "metrics" and isinstance(step, int):
            for name, value in event.data.items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    found.setdefault(name, {})[float(step)] = float(value)
    return [
        (
            title,
            [
                Series(name=shown, points=tuple(sorted(found.get(name, {}).items())), colour=colour)
                for colour, (name, shown) in enumerate(names)
            ],
        )
        for title, names in CURVES
    ]


def _chart(curve: tuple[str, list[Series]]) -> dict[str, Any] | None:
    title, series = curve
    last = ", ".join(f"{item.name} {item.points[-1][1]:.4g}" for item in series if item.points)
    if not last:
        return None
    return {
        "id": title.split()[0].lower(),
        "title": title,
        "note": f"now: {last}",
        "key": Markup(key(series)),  # noqa: S704 - escaped by the charts
        "svg": Markup(line_chart(series, f"{title} by step; now: {last}")),  # noqa: S704
        "table": line_table(series),
    }


def _checkpoint(row: CheckpointRow) -> dict[str, Any]:
    loss = row.metrics.get("full_valid_loss", row.metrics.get("train_loss"))
    return {"step": row.step, "model": row.model, "loss": "" if loss is None else f"{loss:.4g}"}
