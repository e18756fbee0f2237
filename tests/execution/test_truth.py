"""What a provider made is compared with what was asked for, and both are named where they differ."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from runner.dataset.value import DatasetFile
from runner.execution.files import SoughtFile
from runner.execution.truth import OtherThanAskedError, Witness
from runner.providers.base import Job, JobRequest, NotFoundError, RemoteFile
from tests.fakes import MemoryProvider

FILE = DatasetFile(sha256="a" * 64, size_bytes=16, n_examples=1, n_tokens=1, tokens_exact=True)
SOUGHT = SoughtFile(key="k", filename="faq-aa.jsonl", file=FILE)
STORED = RemoteFile(
    id="file-1", filename="faq-aa.jsonl", size_bytes=16, purpose="fine-tune", created_at=1, status="processed"
)
ASKED = JobRequest(
    key="k",
    model="gpt-4.1-mini",
    method="supervised",
    training_file="file-1",
    validation_file=None,
    hyperparameters={"n_epochs": 3, "learning_rate_multiplier": 2, "batch_size": "auto"},
    seed=1,
    suffix=None,
    recipe="faq",
)
JOB = Job(
    id="ftjob-1",
    status="queued",
    model="gpt-4.1-mini",
    training_file="file-1",
    created_at=1,
    method="supervised",
    hyperparameters={"n_epochs": 3, "learning_rate_multiplier": 2.0, "batch_size": 8},
)


@dataclass
class Archive(MemoryProvider):
    """A provider that gives content back as a hash."""

    digest: str | None = "a" * 64
    stored: dict[str, RemoteFile] = field(default_factory=dict)

    def file_sha256(self, file_id: str) -> str | None:
        """The hash that a test wants."""
        return self.digest

    def retrieve_file(self, file_id: str) -> RemoteFile:
        """One of the files that a test stored."""
        if file_id not in self.stored:
            raise NotFoundError("gone")
        return self.stored[file_id]


def said_of_file(remote: RemoteFile, digest: str | None = "a" * 64) -> str:
    with pytest.raises(OtherThanAskedError) as caught:
        Witness(provider=Archive(digest=digest), host="fake").refuse_other_file(remote, SOUGHT)
    return str(caught.value)


def said_of_job(job: Job, asked: JobRequest = ASKED, **stored: RemoteFile) -> str:
    files = {name.replace("_", "-"): file for name, file in stored.items()}
    with pytest.raises(OtherThanAskedError) as caught:
        Witness(provider=Archive(stored=files), host="fake").refuse_other_job(
            job, asked, {"training_file": SOUGHT}
        )
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"filename": "data.jsonl"}, "filename is 'data.jsonl', sent was 'faq-aa.jsonl'"),
        ({"size_bytes": 15}, "bytes is 15, sent was 16"),
        ({"purpose": "batch"}, "purpose is 'batch', sent was 'fine-tune'"),
        (
            {"filename": "\x1b[2J", "size_bytes": 15},
            "filename is '\\x1b[2J', sent was 'faq-aa.jsonl'; bytes is 15, sent was 16",
        ),
    ],
)
def test_another_file_is_refused_with_both_values(change: dict[str, Any], expected: str) -> None:
    assert (
        f"fake: file-1 is not the file that was sent: {expected}. No job was started from it. Check the "
        "provider; `finetune files delete file-1 --provider fake` removes the file."
    ) == said_of_file(replace(STORED, **change))


def test_other_bytes_of_the_same_length_are_refused() -> None:
    assert f"the content's sha256 is '{'b' * 64}', sent was '{'a' * 64}'" in said_of_file(STORED, "b" * 64)


def test_content_that_is_not_given_back_or_that_a_host_restates_is_not_compared() -> None:
    Witness(provider=Archive(digest=None), host="fake").refuse_other_file(STORED, SOUGHT)
    Witness(provider=Archive(digest="b" * 64), host="fake", restates=("content",)).refuse_other_file(
        STORED, SOUGHT
    )


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"model": "gpt-4.1-mini-2025-04-14"},
        {"model": "", "training_file": "", "method": None, "hyperparameters": {}},
        {"hyperparameters": {"n_epochs": "3", "lora": True}},
        {"hyperparameters": {"n_epochs": "auto"}},
    ],
)
def test_a_job_that_says_the_same_or_less_is_taken(change: dict[str, Any]) -> None:
    Witness(provider=Archive(), host="fake").refuse_other_job(
        replace(JOB, **change), ASKED, {"training_file": SOUGHT}
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model": "gpt-4.1"}, "model is 'gpt-4.1', sent was 'gpt-4.1-mini'"),
        ({"training_file": "file-9"}, "training_file is 'file-9', sent was 'file-1'"),
        ({"validation_file": "file-9"}, "validation_file is 'file-9', sent was null"),
        ({"method": "dpo"}, "method is 'dpo', sent was 'supervised'"),
        ({"hyperparameters": {"n_epochs": 4}}, "hyperparameters.n_epochs is 4, sent was 3"),
    ],
)
def test_another_job_is_refused_with_both_values(change: dict[str, Any], expected: str) -> None:
    assert (
        f"fake: ftjob-1 is not the job that was asked for: {expected}. It may cost money: "
        "`finetune cancel ftjob-1 --provider fake` stops it. Nothing more was sent. If fake only words it "
        "otherwise, its host entry can say so under `restates`."
    ) == said_of_job(replace(JOB, **change))


def test_what_a_host_restates_is_no_difference() -> None:
    job = replace(JOB, model="base-1-turbo", hyperparameters={"n_epochs": 4})
    Witness(provider=Archive(), host="fake", restates=("model", "hyperparameters")).refuse_other_job(
        job, ASKED, {"training_file": SOUGHT}
    )


def test_a_file_that_another_process_sent_is_told_by_its_name() -> None:
    job = replace(JOB, training_file="file-9")
    files = {"training_file": SOUGHT}
    same = Archive(stored={"file-9": replace(STORED, id="file-9")})
    Witness(provider=same, host="fake").refuse_other_job(job, ASKED, files)
    other = replace(STORED, id="file-9", filename="other.jsonl")

    assert "training_file is 'file-9 (other.jsonl)', sent was 'file-1'" in said_of_job(job, file_9=other)


def test_a_found_job_may_have_lost_its_file_but_not_have_another() -> None:
    found = replace(ASKED, training_file="")
    Witness(provider=Archive(), host="fake").refuse_other_job(JOB, found, {"training_file": SOUGHT})
    other = replace(STORED, filename="other.jsonl")

    expected = "training_file is 'file-1 (other.jsonl)', sent was 'faq-aa.jsonl'"
    assert expected in said_of_job(JOB, found, file_1=other)
