"""The frame of every page of the dashboard, and the headers that keep it to itself."""

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from runner.local.dashboard.entry import Session
from runner.page.document import policy, render, style

PACKAGE = "runner.local.dashboard"


def page(template: str, *, title: str, session: Session, live: bool = False, **values: Any) -> Response:
    """A page for a session; one that is `live` looks for news by itself."""
    return _response(template, 200, title=title, form_token=session.form_token, live=live, **values)


def plain_page(title: str, message: str, status: int) -> Response:
    """A page with one message, for anybody."""
    return with_safety(
        _response("message.html.j2", status, title=title, form_token="", live=False, message=message)
    )


def with_safety(response: Response) -> Response:
    """The response with headers that bar frames, other origins, guesses at types and caches."""
    response.headers["content-security-policy"] = _policy()
    response.headers["x-content-type-options"] = "nosniff"
    response.headers["x-frame-options"] = "DENY"
    response.headers["cross-origin-opener-policy"] = "same-origin"
    response.headers["cross-origin-resource-policy"] = "same-origin"
    # Not `no-referrer`: with that, a browser hides the origin of the page's own forms.
    response.headers["referrer-policy"] = "same-origin"
    response.headers["cache-control"] = "no-store"
    return response


def _response(template: str, status: int, **values: Any) -> Response:
    text = render(
        PACKAGE,
        template,
        style=Markup(_style()),  # noqa: S704 - our own file
        script=Markup(_script()),  # noqa: S704 - our own file
        **values,
    )
    return HTMLResponse(text, status)


@cache
def _style() -> str:
    return style(PACKAGE, "dashboard.css")


@cache
def _script() -> str:
    return resources.files(PACKAGE).joinpath("live.js").read_text(encoding="utf-8")


@cache
def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(_script().encode()).digest()).decode("ascii")
    own = f"script-src 'sha256-{digest}'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'"
    return policy(_style(), own)
