"""A plan on disk: made by `plan --out`, reviewed, and run only while it is still what would happen."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.canonical import canonical_json, write_atomically
from runner.display import shown
from runner.errors import RunnerError, StaleLockError
from runner.planning.value import Planned
from runner.project import find_project
from runner.report.machine import plans_data

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """What was planned: the recipe, the profile, what was set and chosen of it, and the plans as data."""

    recipe: Path
    profile: str
    assignments: tuple[str, ...]
    only: tuple[str, ...]
    plan: dict[str, Any]


def save_plan(path: Path, plans: Sequence[Planned], only: Sequence[str]) -> None:
    """Write the plans of a recipe's runs as JSON; the recipe is named relative to the project root.

    Raises RunnerError instead of replacing anything but an earlier plan, or leaving the project.
    """
    if path.exists() and not _is_plan(path):
        raise RunnerError(f"{path} exists and is not a saved plan. Name another file with --out.")
    loaded = plans[0].loaded
    if not loaded.project.contains(path):
        raise RunnerError(f"{path} is outside the project, where `finetune run` could not find the recipe.")
    value = {
        "saved_plan_version": VERSION,
        "recipe": loaded.project.name_of(loaded.path),
        "profile": loaded.profile,
        "set": list(loaded.assignments),
        "only": list(only),
        "plan": plans_data(plans),
    }
    write_atomically(path, json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n")


def read_plan(path: Path) -> SavedPlan:
    """Read a saved plan of the project that the file lies in. Raises RunnerError for a file that is none."""
    try:
        value = json.loads(path.read_bytes())
        if value["saved_plan_version"] != VERSION:
            found = shown(value["saved_plan_version"])
            raise RunnerError(f"{path}: found saved_plan_version {found}, expected {VERSION}. Plan again.")
        project = find_project(path)
        recipe = project.root / str(value["recipe"])
        if not project.contains(recipe):
            raise RunnerError(
                f"{path}: found a recipe outside the project, expected one inside it. Plan again."
            )
        return SavedPlan(
            recipe=recipe,
            profile=str(value["profile"]),
            assignments=tuple(map(str, value.get("set", ()))),
            only=tuple(map(str, value.get("only", ()))),
            plan=dict(value["plan"]),
        )
    except OSError as error:
        raise RunnerError(f"{path}: cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunnerError(f"{path}: not a saved plan. Make one with `finetune plan --out {path}`.") from error


def _is_plan(path: Path) -> bool:
    try:
        return "saved_plan_version" in json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def refuse_moved(saved: SavedPlan, plans: Sequence[Planned]) -> None:
    """Raise StaleLockError where today's plans are other ones than those saved."""
    now = json.loads(canonical_json(plans_data(plans)))
    before = json.loads(canonical_json(saved.plan))
    moved = sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))
    if moved:
        raise StaleLockError(
            f"the saved plan is out of date: {', '.join(moved)} changed since. Nothing was sent. "
            "Plan again and look at what it says now."
        )
