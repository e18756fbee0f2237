"""A problem found in a recipe or its data: where, what was found, what was expected, what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad an issue is: an error stops the pipeline, a warning and what is only worth knowing do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a user's file something is; a text file has a line, a data file has a row (both from 1)."""

    file: str
    line: int | None = None
    column: int | None = None
    row: int | None = None

    def __str__(self) -> str:
        if self.row is not None:
            return f"{self.file}: row {self.row}"
        if self.line is None:
            return self.file
        if self.column is None:
            return f"{self.file}:{self.line}"
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One problem; `path` is a JSON path such as `$.training.model`, `code` names the check that found it."""

    place: Place
    message: str
    path: str = ""
    code: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        severity = "warning: " if self.severity is Severity.WARNING else ""
        code = f"{self.code} " if self.code else ""
        path = f"{self.path}: " if self.path else ""
        return f"{self.place}: {severity}{code}{path}{self.message}"


def json_path(keys: tuple[str | int, ...]) -> str:
    """Write keys and indices as a JSON path: ("fields", "a b", 0) becomes `$.fields['a b'][0]`."""
    parts = ["$"]
    for key in keys:
        if isinstance(key, int):
            parts.append(f"[{key}]")
        elif key.isidentifier() or key.replace("-", "_").isidentifier():
            parts.append(f".{key}")
        else:
            parts.append(f"[{key!r}]")
    return "".join(parts)
