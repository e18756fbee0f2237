"""Puts the routes together."""

import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

import runner
from runner.local.dashboard import routes as dashboard
from runner.local.service import (
    batches,
    chat,
    files,
    graders,
    jobs,
    models,
    permissions,
    stored_chats,
    uploads,
)
from runner.local.service.context import Service, service_of
from runner.local.service.refusals import ApiError, fault

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def make_app(service: Service, lifespan: Lifespan) -> Starlette:
    """The OpenAI routes under /v1, /healthz for the starter, and the dashboard for people."""
    parts = (files, uploads, jobs, permissions, models, graders, chat, stored_chats, batches)
    routes = [route for part in parts for route in part.ROUTES]
    app = Starlette(
        routes=[
            Route("/healthz", _health, methods=["GET"]),
            Mount("/v1", routes=routes),
            *dashboard.ROUTES,
        ],
        exception_handlers={ApiError: _refuse, HTTPException: _refuse_route, Exception: _fail},
        lifespan=lifespan,
    )
    app.state.service = service
    return app


async def _health(request: Request) -> Response:
    live = [job.id for job in service_of(request).store.live_jobs()]
    return JSONResponse(
        {
            "status": "ok",
            "pid": os.getpid(),
            "version": runner.__version__,
            "live_jobs": len(live),
            "jobs": live,
        }
    )


async def _refuse(request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise AssertionError("BUG: this handler is registered for ApiError alone") from error
    return error.response


async def _fail(request: Request, error: Exception) -> Response:
    # Raised again after the answer, so that the guard writes it to the log.
    return fault(error).response


async def _refuse_route(request: Request, error: Exception) -> Response:
    """Answer in the hosted service's words where no route takes the request."""
    if not isinstance(error, HTTPException):
        raise AssertionError("BUG: this handler is registered for HTTPException alone") from error
    asked = f"{request.method} {request.url.path}"
    if error.status_code == HTTPStatus.NOT_FOUND:
        return ApiError(404, f"Unknown request URL: {asked}. The local service has no such route.").response
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return ApiError(405, f"Not allowed to {request.method} on {request.url.path}.").response
    return ApiError(error.status_code, error.detail).response
