"""A lockfile made on one machine holds on another: other path, user, locale, timezone and hash seed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.recipe.load import load_profiles
from tests.example_recipes import example_recipes

REPOSITORY = Path(__file__).parent.parent.parent
RECIPES = [path.name for path in example_recipes()]
CASES = [(name, profile) for name in RECIPES for profile in load_profiles(REPOSITORY / "recipes" / name)]
HERE = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "1", "USER": "kim", "LANG": "ko_KR.UTF-8"}
# Nothing but ASCII for Python: https://docs.python.org/3/using/cmdline.html#envvar-PYTHONCOERCECLOCALE
ELSEWHERE = {
    "LC_ALL": "C",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONUTF8": "0",
    "TZ": "Asia/Kathmandu",
    "PYTHONHASHSEED": "4242",
    "USER": "lee",
    "CI": "true",
}


@dataclass(frozen=True)
class Machine:
    """A copy of the recipes with an environment of its own."""

    root: Path
    environment: Mapping[str, str]

    def python(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a module of Python at the root of the copy."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def locks(self) -> dict[str, bytes]:
        """The lockfiles by name."""
        return {path.name: path.read_bytes() for path in (self.root / "recipes").glob("*.lock.yaml")}


def make_machine(root: Path, environment: dict[str, str]) -> Machine:
    """Copy the recipes as a clone has them."""
    (root / "home").mkdir(parents=True)
    project = root / "project"
    locks = shutil.ignore_patterns("*.lock.yaml", ".finetune")
    shutil.copytree(REPOSITORY / "recipes", project / "recipes", ignore=locks)
    (project / "finetune.toml").touch()
    return Machine(
        root=project,
        environment={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "HOME": str(root / "home"),
            **environment,
        },
    )


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Machine, Machine]:
    """One machine on which every recipe was locked under every profile, and another with those locks."""
    here = make_machine(tmp_path_factory.mktemp("here"), HERE)
    elsewhere = make_machine(tmp_path_factory.mktemp("elsewhere") / "다른 자리 ü", ELSEWHERE)
    done = here.python("tests.locked", *(f"recipes/{name}" for name in RECIPES))
    assert 0 == done.returncode, done.stderr
    for name, content in here.locks().items():
        (elsewhere.root / "recipes" / name).write_bytes(content)
    return here, elsewhere


@pytest.mark.parametrize(("name", "profile"), CASES)
def test_a_lock_of_another_machine_verifies(
    machines: tuple[Machine, Machine], name: str, profile: str
) -> None:
    _, elsewhere = machines
    done = elsewhere.python("runner", "verify", f"recipes/{name}", "--profile", profile)

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith(f"recipes/{Path(name).stem}.lock.yaml: verified (")


def test_both_machines_make_the_same_locks(machines: tuple[Machine, Machine]) -> None:
    here, elsewhere = machines
    given = elsewhere.locks()
    for name in given:
        (elsewhere.root / "recipes" / name).unlink()
    done = elsewhere.python("tests.locked", *(f"recipes/{name}" for name in RECIPES))

    assert 0 == done.returncode, done.stderr
    assert len(RECIPES) == len(given)
    assert given == here.locks() == elsewhere.locks()
