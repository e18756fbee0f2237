"""A process of a cluster makes of pieces what a build here makes, apart from the project's files."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from runner.dataset.batch import read_batch
from runner.dataset.checks import DatasetLimits
from runner.dataset.jobs import Job, make_jobs
from runner.dataset.ray_task import VERSION, _bench, encode_order, make_batches, piece_row
from runner.dataset.tokens import EstimatedTokens
from runner.dataset.workers import Workers
from runner.errors import RunnerError
from runner.examples.wire import Bounds, Request
from runner.project import Grants, Project
from runner.recipe.load import load_recipe

pa = pytest.importorskip("pyarrow", reason="pyarrow (the extra `ray`) is not installed")

LIMITS = DatasetLimits(min_examples=3, max_example_tokens=60)
RECIPE = """\
version: 1
name: faq
sources: [{path: faq.jsonl}]
key: id
fields: {question: question, answer: answer}
template:
  messages:
    - {role: user, content_file: ../prompts/user.j2}
    - {role: assistant, content: "{{ answer }}"}
training: {model: tiny-1}
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """No process outlives a test."""
    yield
    _bench.cache_clear()


@pytest.fixture
def request_(project: Path) -> Request:
    """Forty records in some pieces, and a template in another folder."""
    for folder in ("recipes", "prompts"):
        (project / folder).mkdir(exist_ok=True)
    (project / "prompts" / "user.j2").write_text("질문: {{ question }}", encoding="utf-8")
    (project / "recipes" / "faq.yaml").write_text(RECIPE, encoding="utf-8")
    records = ({"id": number, "question": f"{number}?", "answer": "예 },{ \u2028"} for number in range(40))
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (project / "recipes" / "faq.jsonl").write_text(lines, encoding="utf-8")
    loaded = load_recipe(project / "recipes" / "faq.yaml")
    return Request(recipe=loaded.recipe, folder=loaded.folder, project=loaded.project, bounds=Bounds())


def order_of(request: Request) -> bytes:
    return encode_order(request, EstimatedTokens(), LIMITS)


def table_of(jobs: list[Job]) -> object:
    return pa.Table.from_pylist([piece_row(job, job.piece) for job in jobs if job.piece])


def test_batches_are_those_of_a_process_here(request_: Request) -> None:
    jobs = list(make_jobs(request_, 500))
    with Workers(request_, EstimatedTokens(), LIMITS, 1) as workers:
        expected = [batch for _, batch in workers.batches(iter(jobs))]
    order = order_of(request_)
    # What the cluster's machine needs is in the order.
    (request_.project.root / "prompts" / "user.j2").unlink()
    made = make_batches(table_of(jobs), order)

    assert len(expected) > 3
    assert expected == [read_batch(BytesIO(each)) for each in made.column("made").to_pylist()]


def test_nothing_is_made_of_a_piece_with_a_problem(request_: Request) -> None:
    (request_.folder / "faq.jsonl").write_text('{"id": 1, "question": "?"}\n')
    made = make_batches(table_of(list(make_jobs(request_, 500))), order_of(request_))

    assert [b"null\n"] == made.column("made").to_pylist()


def test_another_version_makes_nothing(request_: Request) -> None:
    order = order_of(request_).replace(VERSION.encode(), b"0.0.1, build 1")
    with pytest.raises(RunnerError) as caught:
        make_batches(table_of(list(make_jobs(request_, 500))), order)

    assert (
        f"found finetune-runner {VERSION} on a machine of the cluster, expected 0.0.1, build 1. "
        "Install the same one everywhere."
    ) == str(caught.value)


def test_a_template_outside_the_project_stays_here(request_: Request, tmp_path: Path) -> None:
    root, prompts = request_.project.root / "recipes", request_.project.root / "prompts"
    granted = Project(root=root, grants=Grants(folders=(prompts,)))
    request = Request(recipe=request_.recipe, folder=root, project=granted, bounds=Bounds())
    with pytest.raises(RunnerError) as caught:
        order_of(request)

    assert f"{prompts / 'user.j2'}: found a template outside the project, expected none on a cluster." == str(
        caught.value
    )
