"""Templates to whole pages: values escaped and neutralised, the style inside, a policy that bars all else."""

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from runner.display import neutralise

if TYPE_CHECKING:
    from jinja2 import Environment


def style(package: str = "", name: str = "") -> str:
    """The common style sheet, and after it one of a package's own."""
    common = _resource("runner.page", "style.css")
    return f"{common}\n{_resource(package, name)}" if package else common


def policy(style_sheet: str, extra: str = "") -> str:
    """A Content-Security-Policy that allows this style sheet and nothing else but what `extra` says.

    https://www.w3.org/TR/CSP3/ (2026-11)
    """
    digest = base64.b64encode(hashlib.sha256(style_sheet.encode()).digest()).decode("ascii")
    rest = extra or "form-action 'none'"
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; {rest}"


def render(package: str, template: str, /, **values: Any) -> str:
    """A template that lies in a package, rendered; what is given as Markup stands as it is."""
    return _environment(package).get_template(template).render(**values)


@cache
def _environment(package: str) -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    def safe(value: Any) -> Any:
        return neutralise(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FunctionLoader(lambda name: _template(package, name)),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=safe,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = lambda value: f"{value:,}"
    return environment


def _template(package: str, name: str) -> str:
    """A template of the package, or with `page/` before its name one that all share."""
    shared = name.removeprefix("page/")
    return _resource(package, name) if shared == name else _resource("runner.page", shared)


def _resource(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")
