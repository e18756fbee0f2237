"""What the wheel holds."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_package_is_listed() -> None:
    """setuptools gets a list because `schemas/` lives beside the package; the list has to be complete."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "runner").rglob("__init__.py")}

    assert sorted({*found, "runner.schemas"}) == sorted(settings["packages"])
