"""A model with its card in a folder, or nothing."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.errors import RunnerError, UsageError
from runner.project import Project
from runner.sharing.export import Wanted, export_model

Answer = Callable[[str, int], None]
WANTED = Wanted(job_id="ftjob-1", step=3, merge=True)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """What the process that copies says; it writes one file."""

    def set_answer(stdout: str, code: int) -> None:
        def copied(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            assert ["--job", "ftjob-1"] == command[5:7]
            assert ["--step", "3", "--merge"] == command[9:]
            (Path(command[8]) / "model.safetensors").write_bytes(b"w")
            return subprocess.CompletedProcess(command, code, stdout, "Traceback\nMemoryError\n")

        monkeypatch.setattr(subprocess, "run", copied)

    return set_answer


def test_files_are_told_with_their_hashes(answer: Answer, tmp_path: Path) -> None:
    answer('{"kind": "merged"}\n', 0)
    (tmp_path / "out").mkdir()
    exported = export_model(Project(root=tmp_path), WANTED, tmp_path / "out", lambda kind: f"# {kind}\n")

    assert "merged" == exported.kind
    assert [("README.md", 9), ("model.safetensors", 1)] == [
        (file.name, file.size_bytes) for file in exported.files
    ]
    assert exported.files[1].sha256.startswith("50e721e49c013f00")
    assert "# merged\n" == (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize(
    ("stdout", "message"),
    [
        ('{"error": "the disk is full."}\n', "the disk is full."),
        ("", "the model could not be exported: MemoryError"),
    ],
)
def test_a_failure_leaves_nothing(answer: Answer, tmp_path: Path, stdout: str, message: str) -> None:
    answer(stdout, 1)
    with pytest.raises(RunnerError) as caught:
        export_model(Project(root=tmp_path), WANTED, tmp_path / "out", str)

    assert message == str(caught.value)
    assert [] == list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(UsageError) as caught:
        export_model(Project(root=tmp_path), WANTED, tmp_path / "out", str)

    assert f"{tmp_path}/out: found something there, expected a new or empty folder. Name another." == str(
        caught.value
    )
    assert ["mine"] == [path.name for path in (tmp_path / "out").iterdir()]
