"""Lets in only requests of this user's own programs, and bounds what they send."""

import asyncio
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runner.local.service.refusals import ApiError, fault
from runner.local.service.storing import MAX_FILE_BYTES
from runner.local.service.uploads import MAX_PART_BYTES

MAX_JSON_BYTES = 16 * 1024 * 1024
# How long a body may take: this, and more for what has arrived. A client that sends a byte now and then would
# else hold its connection, and the service awake, for ever.
BODY_WAIT_S = 60.0
MIN_BYTES_PER_S = 1024
# Forms hold a file and a few short fields around it.
FORM_BYTES = 64 * 1024
# What a program with the token tells the dashboard.
TOLD_PATHS = ("/dashboard/keys", "/dashboard/news")
PARTS_PATH = re.compile(r"/v1/uploads/[^/]+/parts")
POLICY_VIOLATION = 1008  # https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
HOST_NAMES = ("127.0.0.1", "localhost")

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Activity:
    """How busy the service is; `last` is when a request last began or ended, in seconds of the clock."""

    now: Callable[[], float]
    n_open: int = 0
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.now()

    def begin(self) -> None:
        """Count a request."""
        self.n_open += 1
        self.last = self.now()

    def end(self) -> None:
        """Uncount a request."""
        self.n_open -= 1
        self.last = self.now()

    def idle_s(self) -> float:
        """For how long there has been no request."""
        return 0.0 if self.n_open else self.now() - self.last


@dataclass(frozen=True, slots=True)
class Guard:
    """The outermost layer: a web page cannot pass it, whatever name it resolves to this machine.

    https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
    """

    app: ASGIApp
    token: str = field(repr=False)
    port: int
    token_hint: str
    activity: Activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        self.activity.begin()
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            limit = self._admit(scope)
            await self.app(scope, _bounded(receive, limit), watched_send)
        except ApiError as error:
            await error.response(scope, receive, send)
        except ClientDisconnect:
            # Nobody is left to answer; what was received so far has been removed.
            return
        except Exception as error:  # the boundary of the service: one broken request must not be a silent one
            logger.exception("a request failed")
            if not started:
                await fault(error).response(scope, receive, send)
        finally:
            self.activity.end()

    def _admit(self, scope: Scope) -> int:
        """Check who asks, and give the number of bytes they may send. Raises ApiError."""
        headers = Headers(scope=scope)
        own = {f"{name}{port}" for name in HOST_NAMES for port in ("", f":{self.port}")}
        if headers.get("host", "") not in own:
            raise ApiError(
                403, f"The host '{headers.get('host', '')}' is not this service.", code="invalid_host"
            )
        origin = headers.get("origin")
        if origin is not None and origin not in {f"http://{name}:{self.port}" for name in HOST_NAMES}:
            raise ApiError(403, f"Requests from the web page '{origin}' are refused.", code="invalid_origin")
        if _has_own_entry(scope["path"]):
            return _allowed_length(headers, MAX_JSON_BYTES)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(
            token.strip().encode(), self.token.encode()
        ):
            message = f"Incorrect API key provided. {self.token_hint}"
            raise ApiError(401, message, code="invalid_api_key")
        return _allowed_length(headers, _body_limit(scope["path"]))


def _has_own_entry(path: str) -> bool:
    """Whether a path is a page of the dashboard, which asks for a session instead of the token."""
    return path == "/" or (path.startswith("/dashboard/") and path not in TOLD_PATHS)


def _allowed_length(headers: Headers, limit: int) -> int:
    """The limit of the body, if the announced length keeps it. Raises ApiError."""
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length) > limit:
        raise _too_large(limit)
    return limit


def _body_limit(path: str) -> int:
    if path == "/v1/files":
        return MAX_FILE_BYTES + FORM_BYTES
    return MAX_PART_BYTES + FORM_BYTES if PARTS_PATH.fullmatch(path) else MAX_JSON_BYTES


def _bounded(receive: Receive, limit: int) -> Receive:
    """Count what arrives, and when: a chunked body announces no length, and a slow one no end."""
    n_bytes, is_whole = 0, False
    started = asyncio.get_running_loop().time()

    async def counted() -> Message:
        nonlocal n_bytes, is_whole
        if is_whole:
            # Nothing but the client's leaving can come.
            return await receive()
        try:
            async with asyncio.timeout_at(started + BODY_WAIT_S + n_bytes / MIN_BYTES_PER_S):
                message = await receive()
        except TimeoutError:
            raise ApiError(408, "The request body did not arrive in time.", code="request_timeout") from None
        n_bytes += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if n_bytes > limit:
            raise _too_large(limit)
        return message

    return counted


def _too_large(limit: int) -> ApiError:
    return ApiError(413, f"The request body is larger than {limit} bytes.", code="request_too_large")
