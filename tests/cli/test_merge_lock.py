"""Lockfiles in a real git repository: merges through the driver, and what a change looks like in a diff."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from runner.errors import RunnerError
from runner.lock.driver import ATTRIBUTE, install
from tests.cli.conftest import Call
from tests.locked import lock

REPOSITORY = Path(__file__).parent.parent.parent
EXPECTED = Path(__file__).parent / "lockfiles"
RECIPE = """\
version: 1
name: {name}
sources:
  - path: faq.csv
key: id
fields:
  question: question
  answer: answer
template:
  messages:
    - role: user
      content: "{{{{ question }}}}"
    - role: assistant
      content: "{{{{ answer }}}}"
training:
  model: tiny-1
  hyperparameters:
    n_epochs: 2
profiles:
  more:
    training:
      seed: 1
"""


@dataclass
class Repository:
    """A git repository with two recipes and their locks, and `finetune` on git's path."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def git(self, *arguments: str, fails: bool = False) -> "subprocess.CompletedProcess[str]":
        """Run git."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert fails == bool(done.returncode), done.stdout + done.stderr
        return done

    def commit(self) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "state")

    def change(self, branch: str, recipe: str, old: str, new: str, profile: str = "default") -> None:
        """On a branch from the first commit, change a recipe and lock one of its profiles."""
        self.git("checkout", "--quiet", "-B", branch, "start")
        path = self.folder / recipe
        path.write_text(path.read_text().replace(old, new))
        lock(path, profile)
        self.commit()

    def locked(self, recipe: str) -> dict[str, tuple[int, int]]:
        """Epochs and seed of the jobs in a lockfile, by profile."""
        runs = yaml.safe_load((self.folder / f"{recipe}.lock.yaml").read_text())["runs"]
        jobs = {profile: run["job"] for profile, run in runs.items()}
        return {
            profile: (job["hyperparameters"]["requested"]["n_epochs"], job["seed"])
            for profile, job in jobs.items()
        }


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "finetune").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runner "$@"\n')
    (programs / "finetune").chmod(0o755)
    people = {
        f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    folder = tmp_path / "repository"
    folder.mkdir()
    made = Repository(
        folder=folder,
        environment={
            **people,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": os.environ["HOME"],
            "PYTHONPATH": str(REPOSITORY),
        },
    )
    rows = "".join(f"{number},What is {number}?,It is number {number}.\n" for number in range(12))
    (folder / "faq.csv").write_text(f"id,question,answer\n{rows}")
    made.git("init", "--quiet", "--initial-branch", "main")
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(RECIPE.format(name=name))
        lock(folder / f"{name}.yaml")
        lock(folder / f"{name}.yaml", "more")
    install(folder, made.environment)
    made.commit()
    made.git("tag", "start")
    return made


def test_branches_that_lock_different_recipes_merge(repository: Repository) -> None:
    repository.change("ours", "one.yaml", "n_epochs: 2", "n_epochs: 3")
    repository.change("theirs", "two.yaml", "n_epochs: 2", "n_epochs: 4")
    repository.git("merge", "--quiet", "ours")

    assert ({"default": (3, 0), "more": (2, 1)}, {"default": (4, 0), "more": (2, 1)}) == (
        repository.locked("one"),
        repository.locked("two"),
    )


def test_branches_that_lock_different_profiles_merge(repository: Repository) -> None:
    repository.change("ours", "one.yaml", "n_epochs: 2", "n_epochs: 3")
    repository.change("theirs", "one.yaml", "seed: 1", "seed: 5", "more")
    repository.git("merge", "--quiet", "ours")

    assert {"default": (3, 0), "more": (2, 5)} == repository.locked("one")


def test_the_same_profile_on_both_branches_is_a_conflict_that_says_what_to_do(
    repository: Repository, call: Call
) -> None:
    repository.change("ours", "one.yaml", "n_epochs: 2", "n_epochs: 3")
    repository.change("theirs", "one.yaml", "n_epochs: 2", "n_epochs: 4")
    done = repository.git("merge", "ours", fails=True)
    lock_path = repository.folder / "one.lock.yaml"
    lines = lock_path.read_text().splitlines()
    marked = lines[lines.index("<<<<<<< ours") : lines.index(">>>>>>> theirs") + 1]

    assert (
        "error: one.lock.yaml: both sides changed the run of 'default'. Keep one of the two between the "
        "markers, delete the other and the marker lines, `git add` the file, and ask `finetune plan` what "
        "that leaves to do.\n"
    ) == done.stderr
    assert "UU one.lock.yaml" in repository.git("status", "--porcelain").stdout
    assert ["  default:", "  default:"] == [
        line for line in marked if line.startswith("  ") and line[2] != " "
    ]
    assert ["  more:"] == [
        line for line in lines if line not in marked and line.startswith("  ") and line[2] != " "
    ]

    repository.git("checkout", "--ours", "one.yaml")
    assert (
        "error: one.lock.yaml: found merge markers. Keep one side (`git checkout --ours` or `--theirs`) and "
        "run `finetune plan` to see what it leaves to do.\n"
    ) == call("verify", repository.folder / "one.yaml").err

    separator = lines.index("=======")
    kept = lines[: lines.index("<<<<<<< ours")] + lines[lines.index("<<<<<<< ours") + 1 : separator]
    lock_path.write_text("\n".join([*kept, *lines[lines.index(">>>>>>> theirs") + 1 :]]) + "\n")
    assert {"default": (4, 0), "more": (2, 1)} == repository.locked("one")


def test_a_lockfile_of_another_program_is_merged_by_lines(repository: Repository) -> None:
    other = repository.folder / "conda.lock.yaml"
    other.write_text("".join(f"line {number}\n" for number in range(9)))
    repository.commit()
    repository.git("tag", "--force", "start")
    for branch, old, new in (("ours", "line 0", "ours 0"), ("theirs", "line 8", "theirs 8")):
        repository.git("checkout", "--quiet", "-B", branch, "start")
        other.write_text(other.read_text().replace(old, new))
        repository.commit()
    repository.git("merge", "--quiet", "ours")

    assert [
        "ours 0",
        *(f"line {number}" for number in range(1, 8)),
        "theirs 8",
    ] == other.read_text().splitlines()


def test_line_conflicts_of_another_program_stay_conflicts(repository: Repository) -> None:
    other = repository.folder / "conda.lock.yaml"
    other.write_text("a\n")
    repository.commit()
    repository.git("tag", "--force", "start")
    for branch in ("ours", "theirs"):
        repository.git("checkout", "--quiet", "-B", branch, "start")
        other.write_text(f"{branch}\n")
        repository.commit()
    done = repository.git("merge", "ours", fails=True)

    assert "conda.lock.yaml: merged line by line, and conflicts are left.\n" in done.stderr
    assert "<<<<<<< ours\ntheirs\n=======\nours\n>>>>>>> theirs\n" == other.read_text()


def test_installing_says_what_it_wrote_and_a_second_time_nothing(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitattributes").write_text("*.png binary")
    monkeypatch.chdir(tmp_path)
    first, second = call("merge-lock", "--install"), call("merge-lock", "--install")

    assert [
        "wrote .gitattributes: *.lock.yaml merge=finetune-lock",
        "wrote git config --local merge.finetune-lock.name 'merge lockfiles of finetune-runner run by run'",
        "wrote git config --local merge.finetune-lock.driver 'finetune merge-lock %O %A %B %P'",
    ] == first.out.splitlines()
    assert "nothing to do: it is installed already\n" == second.out
    assert f"*.png binary\n{ATTRIBUTE}\n" == (tmp_path / ".gitattributes").read_text()


def test_another_driver_for_lockfiles_is_left_alone(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitattributes").write_text("*.yaml merge=union\n")
    with pytest.raises(RunnerError) as caught:
        install(tmp_path, os.environ)

    assert (
        f"{tmp_path}/.gitattributes: found merge=union for lockfiles, expected none. "
        "Remove it, then install again."
    ) == str(caught.value)


def test_outside_a_repository_there_is_nothing_to_install(tmp_path: Path) -> None:
    with pytest.raises(RunnerError) as caught:
        install(tmp_path, os.environ)

    assert f"{tmp_path} is in no git repository. Make one with `git init` first." == str(caught.value)


def test_a_changed_hyperparameter_changes_only_its_lines(repository: Repository) -> None:
    repository.change("more-epochs", "one.yaml", "n_epochs: 2", "n_epochs: 3")
    """Hashes are cut out: a new key of the recipe language changes every one of them."""
    diff = repository.git("diff", "--unified=0", "start", "--", "one.lock.yaml").stdout
    shown = re.sub(r"\b[0-9a-f]{7,}\b", "#", diff)

    assert (EXPECTED / "one-hyperparameter.diff").read_text() == shown


def test_lines_of_the_driver_are_refused_without_files(call: Call) -> None:
    outcome = call("merge-lock")

    assert (
        2,
        "error: expected the files %O %A %B from git. `finetune merge-lock --install` sets it up.\n",
    ) == (outcome.code, outcome.err)
