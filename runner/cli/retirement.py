"""What `status --check-retirement` says."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from runner.cli.options import operator, tell, write, write_json
from runner.display import counted
from runner.errors import GateError
from runner.retirement import Closing, closings


class Days(click.ParamType[int]):
    """A number of days, such as 60d or 8w."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of days."""
        match = re.fullmatch(r"(\d{1,5})([dw]?)", str(value).strip())
        if match is None:
            self.fail(f"{value!r} is no number of days. Write 60d or 8w.", param, ctx)
        return int(match[1]) * (7 if match[2] == "w" else 1)


def report_closings(recipes: Sequence[Path], within_days: int, *, as_json: bool) -> None:
    """Say which base models are closed within some days. Raises GateError for any, or exits with its code."""
    found = closings(recipes, operator(), within_days)
    if as_json:
        write_json({"ok": not found, "closings": [asdict(closing) for closing in found]})
        if found:
            raise click.exceptions.Exit(GateError.exit_code)
        return
    count = counted(len(recipes), "recipe")
    if not found:
        tell(f"no known base model of {count} is closed within {within_days} days")
        return
    write("\n".join(_lines(found)))
    raise GateError(f"base models of {count} are closed within {within_days} days, {found[0].on} the first.")


def _lines(found: Sequence[Closing]) -> list[str]:
    """Every closing; the ways out of a run stand once, below its last line."""
    lines: list[str] = []
    for number, closing in enumerate(found):
        lines.append(str(closing))
        if not any(later.run_name == closing.run_name for later in found[number + 1 :]):
            lines += [f"  {way}" for way in closing.ways]
    return lines
