"""The lockfile: byte-stable, read back as it was written, and clear about what it cannot read."""

from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import StaleLockError
from runner.lock.lockfile import (
    LockedCheckpoint,
    LockedFile,
    LockedJob,
    LockedRun,
    Lockfile,
    lockfile_bytes,
    read_lockfile,
    write_lockfile,
)
from tests.fakes import make_dataset

DIGEST = "0123456789" * 6 + "1e10"


@pytest.fixture
def lockfile(tmp_path: Path) -> Lockfile:
    dataset = make_dataset(tmp_path / "datasets", validation=b"v\n")
    assert dataset.validation_file is not None
    run = LockedRun(
        recipe_sha256=DIGEST,
        sections={"fields": DIGEST},
        sources=dataset.sources,
        templates=(),
        n_records=12,
        index="b" * 64,
        training_file=LockedFile(file=dataset.training_file, file_id="file-1"),
        validation_file=LockedFile(file=dataset.validation_file),
        job=LockedJob(
            id="ftjob-1",
            provider="local",
            model="tiny-1",
            method="supervised",
            digest=DIGEST,
            attempt=1,
            seed=42,
            status="succeeded",
            suffix="no",
            requested={"n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": 1e-05},
            resolved={"n_epochs": 3, "batch_size": 8},
            fine_tuned_model="ft:tiny-1:local:no:1",
            trained_tokens=1234,
            checkpoints=(LockedCheckpoint(id="ftckpt-1", model="ft:x:ckpt-step-2", step=2),),
            weights={"torch-2.13.0+cpu-linux-x86_64": DIGEST},
        ),
    )
    return Lockfile(runs={"openai": replace(run, job=None), "default": run})


def test_a_lockfile_reads_back_as_it_was_written(tmp_path: Path, lockfile: Lockfile) -> None:
    """A hash that looks like a number and a suffix that looks like false stay text."""
    path = tmp_path / "faq.lock.yaml"
    write_lockfile(path, lockfile)

    assert lockfile == read_lockfile(path)


def test_equal_locks_have_equal_bytes(lockfile: Lockfile) -> None:
    reordered = Lockfile(runs=dict(reversed(list(lockfile.runs.items()))))

    assert lockfile_bytes(lockfile) == lockfile_bytes(reordered)


def test_it_is_only_written_when_it_differs(tmp_path: Path, lockfile: Lockfile) -> None:
    path = tmp_path / "faq.lock.yaml"

    assert [True, False] == [write_lockfile(path, lockfile), write_lockfile(path, lockfile)]


def test_one_changed_value_changes_one_line(lockfile: Lockfile) -> None:
    run = lockfile.runs["default"]
    assert run.job is not None
    changed = lockfile.with_run("default", replace(run, job=replace(run.job, seed=43)))
    before, after = (lockfile_bytes(item).decode().splitlines() for item in (lockfile, changed))

    assert [("      seed: 42", "      seed: 43")] == [
        pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]
    ]


def test_an_unusable_lockfile_is_named_as_seen_from_the_project(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "recipes").mkdir()
    path = tmp_path / "recipes" / "faq.lock.yaml"
    path.write_text("a: [1\n")

    with pytest.raises(StaleLockError) as caught:
        read_lockfile(path)

    assert "recipes/faq.lock.yaml: not a lockfile. Restore it with git." == str(caught.value).splitlines()[-1]


def test_a_missing_lockfile_is_empty(tmp_path: Path) -> None:
    assert Lockfile() == read_lockfile(tmp_path / "absent.lock.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a: 1\n<<<<<<< HEAD\n",
            "faq.lock.yaml: found merge markers. Keep one side (`git checkout --ours` or `--theirs`) and run "
            "`finetune plan` to see what it leaves to do.",
        ),
        (
            "lockfile_version: 2\ncreated_by: x\nruns: {}\n",
            "faq.lock.yaml: found lockfile_version 2, this version of finetune-runner reads 1. "
            "Upgrade finetune-runner.",
        ),
        (
            "lockfile_version: 1\nruns: {}\n",
            "faq.lock.yaml: the file: the key 'created_by' is missing. "
            "Add it: the program and version that wrote the file.\n"
            "faq.lock.yaml: not a usable lockfile. Restore it with git.",
        ),
        (
            "a: [1\n",
            "faq.lock.yaml:2:1: not valid YAML: expected ',' or ']', but got '<stream end>'. "
            "Check quotes and indentation here and just above.\n"
            "faq.lock.yaml: not a lockfile. Restore it with git.",
        ),
    ],
    ids=["merge-markers", "newer", "incomplete", "not-yaml"],
)
def test_an_unusable_lockfile_says_why(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "faq.lock.yaml"
    path.write_text(content)

    with pytest.raises(StaleLockError) as caught:
        read_lockfile(path)

    assert message == str(caught.value)
