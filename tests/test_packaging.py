"""What the wheel holds."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_every_package_is_listed() -> None:
    """setuptools gets a list because `schemas/` lives beside the package; the list has to be complete."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "runner").rglob("__init__.py")}

    assert sorted({*found, "runner.schemas"}) == sorted(settings["packages"])


@pytest.mark.long
def test_the_wheel_holds_what_is_read_at_run_time(tmp_path: Path) -> None:
    """Schemas, host entries and tiny-1's files reach the wheel, and every module does."""
    pytest.importorskip("setuptools", reason="setuptools is not installed")
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "--quiet", "--local", str(ROOT), str(source)], check=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(source)], check=True)
    [wheel] = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    modules = {path.relative_to(source).as_posix() for path in (source / "runner").rglob("*.py")}
    data = {
        "runner/py.typed",
        "runner/schemas/recipe.schema.json",
        "runner/schemas/lockfile.schema.json",
        "runner/schemas/host.schema.json",
        "runner/local/dashboard/job.html.j2",
        "runner/local/dashboard/live.js",
        "runner/page/style.css",
        "runner/providers/hosts/local.toml",
        "runner/providers/hosts/openai.toml",
        "runner/report/report.css",
        "runner/page/tables.html.j2",
        "runner/report/report.html.j2",
        "runner/local/training/tiny_1/tokenizer.json",
        "runner/local/training/tiny_1/chat_template.jinja",
    }

    assert set() == (modules | data) - held
