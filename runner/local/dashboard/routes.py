"""The routes of the dashboard. Every page needs a session, every action a token of its form besides."""

import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from runner.local.dashboard.entry import Session
from runner.local.dashboard.frame import page, plain_page, with_safety
from runner.local.dashboard.views import ACTIONS, hosted_view, job_rows, job_view
from runner.local.rows import JobRow
from runner.local.service import jobs
from runner.local.service.asking import complete
from runner.local.service.bodies import read_object
from runner.local.service.context import Service, service_of
from runner.local.service.refusals import ApiError, no_such_file, no_such_job

MAX_TURNS = 40
MAX_ANSWER_TOKENS = 512
MOVES: dict[str, Callable[[Request], Awaitable[Response]]] = {
    "pause": jobs.pause_job,
    "resume": jobs.resume_job,
    "cancel": jobs.cancel_job,
}
Handler = Callable[[Request, Session], Awaitable[Response]]


async def make_key(request: Request) -> Response:
    """POST /dashboard/keys, with the token: an address that opens once; `jobs` are what lockfiles name."""
    service, body = service_of(request), await read_object(request)
    if isinstance(body.get("jobs"), list):
        service.known.take(body["jobs"])
    key = service.entry.invite(service.clock.now())
    return JSONResponse({"path": f"/?key={key}"})


async def take_news(request: Request) -> Response:
    """POST /dashboard/news, with the token: the jobs of lockfiles, and what their hosts said just now."""
    service, body = service_of(request), await read_object(request)
    if isinstance(body.get("jobs"), list):
        service.known.take(body["jobs"])
    if isinstance(body.get("news"), list):
        service.known.learn(body["news"], service.clock.now())
    return JSONResponse({})


async def enter(request: Request) -> Response:
    """GET /: the jobs; with a key, the session that it stands for."""
    service, key = service_of(request), request.query_params.get("key")
    if key is None:
        return await _shown(_list_jobs)(request)
    session = service.entry.admit(key, service.clock.now())
    if session is None:
        return plain_page("This address was used before, or is too old", _HOW, 401)
    response = RedirectResponse("/", 303)
    # Strict: no other page can send it, not even by a link.
    response.set_cookie(_cookie(request), session.id, httponly=True, samesite="strict", path="/")
    return with_safety(response)


async def _list_jobs(request: Request, session: Session) -> Response:
    service = service_of(request)
    known = await run_in_threadpool(service.known.jobs, service.clock.now())
    return page("jobs.html.j2", title="Jobs", session=session, live=True, jobs=job_rows(service, known))


async def _show_job(request: Request, session: Session) -> Response:
    """GET /dashboard/jobs/{id}."""
    service, job_id = service_of(request), request.path_params["id"]
    known = service.known.jobs(service.clock.now()).get(job_id)
    news = service.known.news.get(job_id)
    if service.store.job(job_id) is None and known is not None and news is not None:
        view = hosted_view(known, news, service.clock.now())
    else:
        view = job_view(service, _job_of(request), known)
    return page("job.html.j2", title=job_id, session=session, live=view["is_live"], job=view)


async def _ask_about(request: Request, session: Session) -> Response:
    """GET /dashboard/jobs/{id}/{verb}: nothing is done yet."""
    job, verb = _job_of(request), request.path_params["verb"]
    told = dict(ACTIONS.get(job.status, ())).get(verb)
    if told is None:
        raise ApiError(409, f"Job {job.id} is {job.status}.")
    return page("confirm.html.j2", title=f"{verb} {job.id}?", session=session, job=job, verb=verb, told=told)


async def _act(request: Request, session: Session) -> Response:
    """POST /dashboard/jobs/{id}/{verb}."""
    await _form(request, session)
    move = MOVES.get(request.path_params["verb"])
    if move is None:
        raise no_such_job(request.path_params["id"])
    await move(request)
    return RedirectResponse(f"/dashboard/jobs/{_job_of(request).id}", 303)


async def _download(request: Request, session: Session) -> Response:
    """GET /dashboard/jobs/{id}/files/{file}: a result file of the job."""
    service, job, file_id = service_of(request), _job_of(request), request.path_params["file"]
    row = service.store.file(file_id, service.now)
    if row is None or file_id not in job.result_files:
        raise no_such_file(file_id)
    return FileResponse(service.layout.file(row.id), media_type="text/csv", filename=row.filename)


async def _show_chat(request: Request, session: Session) -> Response:
    """GET /dashboard/chat?model=NAME."""
    return _chat_page(service_of(request), session, request.query_params.get("model", ""), [])


async def _chat(request: Request, session: Session) -> Response:
    """POST /dashboard/chat: one more question; the conversation so far comes with the form."""
    service, form = service_of(request), await _form(request, session)
    said = [name_value for name_value in form if name_value[0] in ("system", "user", "assistant")]
    turns = [{"role": role, "content": text} for role, text in said if text][-MAX_TURNS:]
    model, question = dict(form).get("model", ""), dict(form).get("question", "").strip()
    if not question:
        return _chat_page(service, session, model, turns)
    asked = [*turns, {"role": "user", "content": question}]
    body = {"model": model, "messages": asked, "max_completion_tokens": MAX_ANSWER_TOKENS}
    try:
        answer = await complete(service, body)
    except ApiError as error:
        return _chat_page(service, session, model, turns, question=question, failure=error.message)
    said_last = {"role": "assistant", "content": answer["choices"][0]["message"]["content"] or ""}
    return _chat_page(service, session, model, [*asked, said_last])


def _chat_page(  # noqa: PLR0913 - the parts of a conversation
    service: Service,
    session: Session,
    model: str,
    turns: list[dict[str, str]],
    *,
    question: str = "",
    failure: str = "",
) -> Response:
    names = [row.id for row in reversed(service.store.models())]
    return page(
        "chat.html.j2",
        title="Chat",
        session=session,
        models=names,
        model=model if model in names else next(iter(names), ""),
        turns=turns,
        question=question,
        failure=failure,
    )


_HOW = "Run `finetune dashboard` in the project again: it prints an address that opens this page once."


def _shown(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """A route for browsers: it needs a session, and says on a page what is wrong."""

    async def handled(request: Request) -> Response:
        service = service_of(request)
        session = service.entry.session(request.cookies.get(_cookie(request)), service.clock.now())
        if session is None:
            return plain_page("This browser was not let in", _HOW, 401)
        try:
            return with_safety(await handler(request, session))
        except ApiError as error:
            return plain_page("That cannot be done", error.message, error.status)

    return handled


async def _form(request: Request, session: Session) -> list[tuple[str, str]]:
    """The fields of a form that this very session was given. Raises ApiError."""
    text = (await request.body()).decode("utf-8", "replace")
    fields = parse_qsl(text, keep_blank_values=True, max_num_fields=200)
    token = dict(fields).get("form_token", "")
    if not secrets.compare_digest(token.encode(), session.form_token.encode()):
        raise ApiError(403, "The form is not one that this page made. Go back, reload, and try again.")
    return fields


def _cookie(request: Request) -> str:
    # A browser sends cookies to every port of a machine: each service has its own name.
    return f"finetune-{request.url.port or 80}"


def _job_of(request: Request) -> JobRow:
    service, job_id = service_of(request), request.path_params["id"]
    job = service.store.job(job_id)
    if job is None:
        raise no_such_job(job_id)
    return service.supervisor.current(job)


ROUTES = [
    Route("/", enter, methods=["GET"]),
    Route("/dashboard/keys", make_key, methods=["POST"]),
    Route("/dashboard/news", take_news, methods=["POST"]),
    Route("/dashboard/jobs/{id}", _shown(_show_job), methods=["GET"]),
    Route("/dashboard/jobs/{id}/files/{file}", _shown(_download), methods=["GET"]),
    Route("/dashboard/jobs/{id}/{verb}", _shown(_ask_about), methods=["GET"]),
    Route("/dashboard/jobs/{id}/{verb}", _shown(_act), methods=["POST"]),
    Route("/dashboard/chat", _shown(_show_chat), methods=["GET"]),
    Route("/dashboard/chat", _shown(_chat), methods=["POST"]),
]
