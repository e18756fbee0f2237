"""Commands start fast because they import late."""

import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
import sys
from runner.cli.main import run
code = run(sys.argv[1:])
heavy = ("openai", "torch", "jinja2", "jsonschema", "rich", "transformers", "starlette", "httpx2")
heavy += ("concurrent.futures", "runner.dataset.checks.registry", "runner.planning.record_drift")
sys.stderr.write(f"{code} {[name for name in heavy if name in sys.modules]}")
"""


def imported(*arguments: str, folder: Path) -> str:
    """What a command leaves in sys.modules, as the last line of stderr."""
    process = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return process.stderr.splitlines()[-1]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(project: Path, arguments: list[str]) -> None:
    assert "0 []" == imported(*arguments, folder=project)


def test_validate_imports_neither_openai_nor_torch(local_recipe: Path) -> None:
    assert "0 ['jinja2', 'jsonschema']" == imported("validate", str(local_recipe), folder=local_recipe.parent)


def test_a_recipe_found_valid_before_needs_neither_jsonschema_nor_jinja2(local_recipe: Path) -> None:
    found = [imported("validate", str(local_recipe), folder=local_recipe.parent) for _ in range(2)]
    assert ["0 ['jinja2', 'jsonschema']", "0 []"] == found


def test_build_and_plan_import_neither_openai_nor_torch(local_recipe: Path) -> None:
    found = [
        imported(command, str(local_recipe), folder=local_recipe.parent)
        for command in ("build", "plan", "plan")
    ]
    building = "['jinja2', 'jsonschema', 'concurrent.futures', 'runner.dataset.checks.registry']"
    # The first plan counts tokens; the second has nothing to do.
    assert [f"0 {building}", "0 ['jinja2', 'concurrent.futures']", "0 []"] == found
