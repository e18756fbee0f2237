"""What a recipe says under `checks`, beyond what its schema can tell."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from runner.dataset.checks.registry import RULES
from runner.recipe.load import LoadedRecipe

Keys = tuple[str | int, ...]
EXTRA_HINT = "pip install 'finetune-runner[checks]'"


def check_settings(loaded: LoadedRecipe) -> Iterator[tuple[Keys, str]]:
    """Every problem of `checks`: (path in the recipe, sentence)."""
    checks = loaded.recipe.checks
    for code, level in checks.levels:
        extra = RULES[code].extra
        if level != "off" and extra and find_spec(extra) is None:
            yield (
                ("checks", "levels", code),
                f"found a check that needs a package which is not installed, expected it. {EXTRA_HINT}",
            )
    for index, entry in enumerate(checks.ignore):
        if RULES[entry.code].is_enforced:
            yield (
                ("checks", "ignore", index, "code"),
                f"found {entry.code}, which hosted services enforce, expected a check of ours alone. "
                "Leave the records out with `where`.",
            )
    if checks.baseline is not None and not _stays_inside(loaded, checks.baseline):
        yield (
            ("checks", "baseline"),
            "found a path outside the project, expected one inside it. Move the file into the project.",
        )


def baseline_path(loaded: LoadedRecipe) -> Path | None:
    """The baseline that a recipe names."""
    name = loaded.recipe.checks.baseline
    return None if name is None else loaded.folder / name


def default_baseline(loaded: LoadedRecipe) -> Path:
    """Where a baseline goes that no recipe names yet."""
    return loaded.path.with_name(f"{loaded.path.stem}.baseline.json")


def _stays_inside(loaded: LoadedRecipe, name: str) -> bool:
    return not Path(name).is_absolute() and loaded.project.contains(loaded.folder / name)
