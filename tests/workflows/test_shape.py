"""The workflows to copy: what they may do, what they never do, and that their shell does what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parent.parent.parent / "docs" / "workflows"
# Read from the tags of the actions' repositories, 2026-11.
PINS = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/upload-artifact": ("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
}
RECIPE = """\
version: 1
name: NAME
sources:
  - path: faq.jsonl
key: id
fields:
  question: question
template:
  messages:
    - {role: user, content: "{{ question }}"}
    - {role: assistant, content: "예, {{ question }}"}
training:
  model: tiny-1
"""


def workflow(name: str) -> dict[str, Any]:
    """A workflow as YAML 1.2 has it: `on` is a word."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - every value is text
    return loaded


def steps(name: str) -> list[dict[str, Any]]:
    """All steps of all jobs."""
    return [step for job in workflow(name)["jobs"].values() for step in job["steps"]]


def test_the_review_holds_nothing_worth_taking() -> None:
    review = workflow("finetune-review.yml")
    (checkout,) = [step for step in steps("finetune-review.yml") if "checkout" in step.get("uses", "")]

    assert ({"pull_request": ""}, {"contents": "read"}) == (review["on"], review["permissions"])
    assert all("permissions" not in job for job in review["jobs"].values())
    assert {
        "ref": "${{ github.event.pull_request.head.sha }}",
        "fetch-depth": "0",
        "persist-credentials": "false",
    } == checkout["with"]
    assert "secrets" not in (FOLDER / "finetune-review.yml").read_text()


def test_the_comment_never_sees_the_pull_request() -> None:
    comment = workflow("finetune-comment.yml")
    (job,) = comment["jobs"].values()
    checkout, script = job["steps"]

    assert {
        "workflow_run": {"workflows": [workflow("finetune-review.yml")["name"]], "types": ["completed"]}
    } == (comment["on"])
    assert {} == comment["permissions"]
    assert {"actions": "read", "contents": "read", "pull-requests": "write"} == job["permissions"]
    assert "${{ github.event.repository.default_branch }}" == checkout["with"]["ref"]
    assert "false" == checkout["with"]["persist-credentials"]
    assert ("python3 .github/finetune_comment.py", {"GITHUB_TOKEN": "${{ github.token }}"}) == (
        script["run"],
        script["env"],
    )
    assert "github.event.workflow_run.event == 'pull_request'" == job["if"]


@pytest.mark.parametrize("name", ["finetune-review.yml", "finetune-comment.yml"])
def test_actions_are_pinned_and_shell_holds_no_expressions(name: str) -> None:
    """An expression inside `run` is text that an author of a pull request may write."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)@(\S+) # (\S+)\n", text)

    assert text.count("uses:") == len(used)
    assert all(PINS[action] == (sha, version) for action, sha, version in used)
    for step in steps(name):
        assert "${{" not in step.get("run", "")
        assert "run" not in step or "bash" == step["shell"]
    assert all("timeout-minutes" in job for job in workflow(name)["jobs"].values())


def test_the_shell_of_the_review_compares_all_recipes(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A recipe that is new, one that is gone, one with an odd name; lockfiles and bases are none."""
    folder = project / "recipes"
    (folder / "bases").mkdir(parents=True)
    (folder / "bases" / "base.yaml").write_text("version: 1\n")
    (folder / "faq.jsonl").write_text('{"id": 1, "question": "가"}\n{"id": 2, "question": "나"}\n')
    for name in ("old", "same", "edited"):
        (folder / f"{name}.yaml").write_text(RECIPE.replace("NAME", name))
    (folder / "same.lock.yaml").write_text("lockfile_version: 1\ncreated_by: x\nruns: {}\n")
    environment = tools(project, tmp_path_factory.mktemp("bin"))
    git(project, environment, "init", "--quiet")
    git(project, environment, "add", "--all")
    git(project, environment, "commit", "--quiet", "--message", "base")
    base = git(project, environment, "rev-parse", "HEAD")
    (folder / "old.yaml").unlink()
    (folder / "new $(touch pwned).yaml").write_text(RECIPE.replace("NAME", "new"))
    (folder / "edited.yaml").write_text(RECIPE.replace("NAME", "edited").replace("예,", "네,"))
    git(project, environment, "add", "--all")
    git(project, environment, "commit", "--quiet", "--message", "head")
    git(project, environment, "checkout", "--quiet", "--detach")
    environment["BASE"] = base
    validate, compare = [
        step["run"] for step in steps("finetune-review.yml") if "finetune " in step.get("run", "")
    ]

    assert 3 == bash(validate, project, environment).stdout.count(": valid (sha256 ")
    bash(compare, project, environment)
    review = (project / "temp" / "review.md").read_text(encoding="utf-8")
    assert ["edited", "new", "old"] == re.findall(r"### What would train differently: `(.+)`", review)
    assert "!   assistant: [-예-]{+네+}, 가" in review
    assert not (project / "pwned").exists()


def tools(project: Path, folder: Path) -> dict[str, str]:
    """An environment with `finetune` of this checkout, as the workflow's runner has it."""
    command = folder / "finetune"
    root = Path(__file__).parent.parent.parent
    command.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(root)!r})\n"
        "from runner.cli.main import main\nmain()\n"
    )
    command.chmod(0o755)
    (project / "temp").mkdir()
    return {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "HOME": os.environ["HOME"],
        "RUNNER_TEMP": str(project / "temp"),
        **{
            f"GIT_{who}_{what}": "t@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }


def git(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    """Run git."""
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def bash(text: str, folder: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a step as GitHub does for `shell: bash`."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    return done
