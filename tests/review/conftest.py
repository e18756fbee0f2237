"""A git repository to look into."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.review.git import Revision, find_revision

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Run git in a new repository, with an author and nothing else of this machine's settings."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        **{
            f"GIT_{who}_{what}": "t@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }

    def called(*arguments: str, stdin: str = "") -> str:
        command = ["git", "-C", str(tmp_path), *arguments]
        done = subprocess.run(
            command, env=environment, input=stdin, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    called("init", "--quiet", "--initial-branch", "main")
    return called


@pytest.fixture
def revision(git: Git, tmp_path: Path) -> Callable[[], Revision]:
    """Commit everything and find that commit."""

    def committed() -> Revision:
        git("add", "--all")
        git("commit", "--quiet", "--message", "state")
        return find_revision(tmp_path, "HEAD", dict(os.environ))

    return committed
