"""The routes of fine-tuning jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runner.canonical import sha256_of
from runner.graders.grade import judging_models
from runner.local.catalogue import FoundModel, UnknownModelError, find_model, kind_of_tuning
from runner.local.identifiers import derived_seed, fine_tuned_name, id_for, new_id
from runner.local.rows import LIVE, UNFINISHED, EventRow, FileRow, JobRow, JobStatus, Level
from runner.local.service.bodies import check_object, metadata_filter, page_limit, read_object
from runner.local.service.context import Service, idempotency_key, service_of
from runner.local.service.files import FINE_TUNE
from runner.local.service.graders import read_grader, refuse_code
from runner.local.service.objects import checkpoint_object, event_object, job_object, list_object
from runner.local.service.refusals import invalid, invalid_value, key_reused, no_such_job, not_found
from runner.local.service.schemas import JOB
from runner.local.store import page
from runner.local.training.job import Method

ALLOW_NETWORK_HEADER = "x-finetune-allow-network"
ALLOW_CODE_HEADER = "x-finetune-allow-code"
NOT_SENT = (
    "Weights & Biases is kept with the job, but the local service sends nothing: "
    "the metrics are in the events and in the result file"
)
AUTO = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}
OWN_AUTO: dict[Method, dict[str, str]] = {
    "supervised": {},
    "dpo": {"beta": "auto"},
    "reinforcement": {"compute_multiplier": "auto"},
}
WHOLE = ("n_epochs", "batch_size", "lora_r", "lora_alpha", "early_stopping_patience")
OF_ADAPTERS = ("lora_r", "lora_alpha", "lora_dropout")
NEED_VALIDATION = ("early_stopping_patience", "early_stopping_threshold", "load_best_model_at_end")
VERBS: dict[JobStatus, str] = {"cancelled": "cancelled", "paused": "paused", "queued": "resumed"}
DEFAULT_JOBS = 20
DEFAULT_EVENTS = 20
DEFAULT_CHECKPOINTS = 10


async def create_job(request: Request) -> Response:
    """POST /fine_tuning/jobs: check everything that needs no reading of files, then queue."""
    service = service_of(request)
    body = await read_object(request)
    key = idempotency_key(request)
    job_id = id_for("ftjob", key)
    known = service.store.job(job_id)
    if known is not None and known.request_sha256 != sha256_of(body):
        raise key_reused("job")
    if known is not None and not _has_lost_its_model(service, known):
        return JSONResponse(job_object(service.supervisor.current(known)))
    check_object(body, JOB)
    allow_network = service.allow_network or request.headers.get(ALLOW_NETWORK_HEADER) == "1"
    said = request.headers.get(ALLOW_CODE_HEADER) == "1"
    grader = _grader(service, body, allow_code=service.allow_code or (service.trusts_clients and said))
    job = _new_job(service, job_id, body, grader, allow_network=allow_network)
    if known is not None:
        # Its worker may not have ended yet, and is not this job's.
        job = replace(job, pauses=known.pauses + 1)
    with service.store.transaction():
        service.store.remove_job(job.id)
        service.store.add(job, *_first_events(job))
    service.supervisor.submit(job)
    return JSONResponse(job_object(job))


async def list_jobs(request: Request) -> Response:
    """GET /fine_tuning/jobs: newest first; `metadata[key]=value` chooses."""
    service, after = service_of(request), request.query_params.get("after")
    jobs, wanted = map(service.supervisor.current, service.store.jobs()), metadata_filter(request)
    matching = [job for job in jobs if wanted(job.metadata)]
    found, has_more = page(matching, after=after, limit=page_limit(request, DEFAULT_JOBS))
    return JSONResponse(list_object([job_object(job) for job in found], has_more=has_more))


async def retrieve_job(request: Request) -> Response:
    """GET /fine_tuning/jobs/{id}."""
    return JSONResponse(job_object(_job_of(request)))


async def cancel_job(request: Request) -> Response:
    """POST /fine_tuning/jobs/{id}/cancel: at once for the client; the worker stops within two steps."""
    service = service_of(request)
    change = {"finished_at": service.now}
    return JSONResponse(job_object(_move(request, "cancelled", UNFINISHED, change)))


async def pause_job(request: Request) -> Response:
    """POST /fine_tuning/jobs/{id}/pause: the worker stops within two steps and keeps its last checkpoint."""
    change = {"pauses": _job_of(request).pauses + 1, "estimated_finish": None}
    return JSONResponse(job_object(_move(request, "paused", LIVE, change)))


async def resume_job(request: Request) -> Response:
    """POST /fine_tuning/jobs/{id}/resume: go on after the last checkpoint, when it is the job's turn."""
    job = _move(request, "queued", ("paused",), {"starts": 0})
    service_of(request).supervisor.submit(job)
    return JSONResponse(job_object(job))


async def list_events(request: Request) -> Response:
    """GET /fine_tuning/jobs/{id}/events: newest first."""
    job, limit = _job_of(request), page_limit(request, DEFAULT_EVENTS)
    after = request.query_params.get("after")
    rows = service_of(request).store.events(job.id, after=after, limit=limit + 1)
    data = [event_object(row) for row in rows[:limit]]
    return JSONResponse(list_object(data, has_more=len(rows) > limit))


async def list_checkpoints(request: Request) -> Response:
    """GET /fine_tuning/jobs/{id}/checkpoints: the last step first."""
    rows = service_of(request).store.checkpoints(_job_of(request).id)
    limit = page_limit(request, DEFAULT_CHECKPOINTS)
    found, has_more = page(rows, after=request.query_params.get("after"), limit=limit)
    return JSONResponse(list_object([checkpoint_object(row) for row in found], has_more=has_more))


ROUTES = [
    Route("/fine_tuning/jobs", create_job, methods=["POST"]),
    Route("/fine_tuning/jobs", list_jobs, methods=["GET"]),
    Route("/fine_tuning/jobs/{id}", retrieve_job, methods=["GET"]),
    Route("/fine_tuning/jobs/{id}/cancel", cancel_job, methods=["POST"]),
    Route("/fine_tuning/jobs/{id}/pause", pause_job, methods=["POST"]),
    Route("/fine_tuning/jobs/{id}/resume", resume_job, methods=["POST"]),
    Route("/fine_tuning/jobs/{id}/events", list_events, methods=["GET"]),
    Route("/fine_tuning/jobs/{id}/checkpoints", list_checkpoints, methods=["GET"]),
]


def _grader(service: Service, body: Mapping[str, Any], *, allow_code: bool) -> Mapping[str, Any] | None:
    """The grader of a job for reinforcement, read once so that a wrong one is refused at once."""
    method = body.get("method") or {}
    if method.get("type") != "reinforcement":
        return None
    value: Mapping[str, Any] = method["reinforcement"]["grader"]
    grader = read_grader(service, value)
    place = "method.reinforcement.grader"
    if judging_models(grader):
        message = "Graders that ask a model cannot grade while a job trains on this machine."
        raise invalid(message, place, "unsupported_value")
    refuse_code(grader, place, allow_code=allow_code)
    return value


def _move(
    request: Request, to: JobStatus, allowed_from: Sequence[JobStatus], change: Mapping[str, Any]
) -> JobRow:
    """Give a job a new status and tell it. Raises ApiError when its present one does not allow it."""
    service, job = service_of(request), _job_of(request)
    verb = VERBS[to]
    with service.store.transaction():
        if not service.store.move_job(job.id, to, allowed_from=allowed_from, **change):
            status = _job_of(request).status
            code = "job_finished" if status not in UNFINISHED else "invalid_job_status"
            raise invalid(f"Job {job.id} is {status} and cannot be {verb}.", "fine_tuning_job_id", code)
        service.store.add(_event(job.id, service.now, f"Fine-tuning job {verb}"))
    return _job_of(request)


def _has_lost_its_model(service: Service, job: JobRow) -> bool:
    """Whether a job succeeded and its model is gone: to repeat its creation is to want it again."""
    if job.status != "succeeded":
        return False
    return service.store.model(job.fine_tuned_model) is None or not service.layout.manifest(job.id).is_file()


def _new_job(
    service: Service,
    job_id: str,
    body: Mapping[str, Any],
    grader: Mapping[str, Any] | None,
    *,
    allow_network: bool,
) -> JobRow:
    try:
        found = find_model(service.store, service.layout, body["model"])
    except UnknownModelError as error:
        raise not_found(str(error), "model", "model_not_found") from error
    _fine_tuning_file(service, body["training_file"], "training_file")
    if body.get("validation_file") is not None:
        _fine_tuning_file(service, body["validation_file"], "validation_file")
    seed = body.get("seed")
    method: Method = (body.get("method") or {}).get("type", "supervised")
    hyperparameters = _hyperparameters(method, body)
    _check_options(found, body, hyperparameters)
    return JobRow(
        id=job_id,
        created_at=service.now,
        model=body["model"],
        base_model=found.base_model,
        base_path=None if found.path is None else str(found.path),
        fine_tuned_model=fine_tuned_name(found.label, body.get("suffix"), job_id),
        training_file=body["training_file"],
        validation_file=body.get("validation_file"),
        method=method,
        grader=grader,
        hyperparameters=hyperparameters,
        seed=derived_seed(job_id) if seed is None else int(seed),
        suffix=body.get("suffix"),
        metadata=body.get("metadata"),
        integrations=tuple(body.get("integrations") or ()),
        allow_network=allow_network,
        request_sha256=sha256_of(body),
    )


def _fine_tuning_file(service: Service, file_id: str, param: str) -> FileRow:
    row = service.store.file(file_id, service.now)
    if row is None or row.purpose != FINE_TUNE:
        found = "no such file" if row is None else f"its purpose is '{row.purpose}', expected '{FINE_TUNE}'"
        raise invalid(f"invalid {param}: {file_id} ({found})", param, "invalid_file")
    return row


def _hyperparameters(method: Method, body: Mapping[str, Any]) -> dict[str, Any]:
    nested = ((body.get("method") or {}).get(method) or {}).get("hyperparameters")
    legacy = body.get("hyperparameters")
    if nested and legacy and nested != legacy:
        raise invalid_value(
            f"'hyperparameters' and 'method.{method}.hyperparameters' differ; send 'method' alone.",
            "hyperparameters",
        )
    chosen = {**AUTO, **OWN_AUTO[method], **(legacy or {}), **(nested or {})}
    # JSON has one kind of number: 3.0 is a whole one too.
    return {
        name: int(value) if name in WHOLE and value != "auto" else value for name, value in chosen.items()
    }


def _check_options(found: FoundModel, body: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """See that the job can follow what goes beyond OpenAI's API. Raises ApiError."""
    place = "hyperparameters"
    needing = [name for name in NEED_VALIDATION if values.get(name) not in (None, False)]
    if needing and body.get("validation_file") is None:
        message = f"'{needing[0]}' compares epochs by the validation file, and the job has none."
        raise invalid_value(message, f"{place}.{needing[0]}")
    asked = values.get("adapter")
    kind = kind_of_tuning(found.base_model, found.path)
    if asked is not None and kind is not None and (asked == "none") != (kind == "none"):
        was = "in full" if kind == "none" else "by an adapter"
        message = f"'{body['model']}' is tuned {was}; leave 'adapter' out."
        raise invalid_value(message, f"{place}.adapter")
    shape = next((name for name in OF_ADAPTERS if values.get(name) is not None), None)
    if shape is not None and "none" in (asked, kind):
        message = f"'{shape}' is of an adapter, and the job tunes '{body['model']}' in full; leave it out."
        raise invalid_value(message, f"{place}.{shape}")


def _first_events(job: JobRow) -> list[EventRow]:
    texts = [f"Created fine-tuning job: {job.id}", f"Validating training file: {job.training_file}"]
    if job.validation_file is not None:
        texts[-1] += f" and validation file: {job.validation_file}"
    events = [_event(job.id, job.created_at, text) for text in texts]
    return [*events, _event(job.id, job.created_at, NOT_SENT, "warn")] if job.integrations else events


def _event(job_id: str, created_at: int, message: str, level: Level = "info") -> EventRow:
    return EventRow(id=new_id("ftevent"), job_id=job_id, created_at=created_at, level=level, message=message)


def _job_of(request: Request) -> JobRow:
    job_id = request.path_params["id"]
    service = service_of(request)
    job = service.store.job(job_id)
    if job is None:
        raise no_such_job(job_id)
    return service.supervisor.current(job)
