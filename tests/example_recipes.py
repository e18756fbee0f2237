"""The recipes that the project ships, without the lockfiles that a run of them leaves beside them."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "recipes"


def example_recipes() -> list[Path]:
    """Their files, by name."""
    return sorted(path for path in FOLDER.glob("*.yaml") if not path.name.endswith(".lock.yaml"))
