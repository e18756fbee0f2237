"""The same dataset comes out however many processes make it, and of however large pieces."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from runner.dataset.batch import Batch, read_batch, write_batch
from runner.dataset.build import build_dataset, build_one_by_one
from runner.dataset.checks import Checker, DatasetLimits
from runner.dataset.effort import Effort
from runner.dataset.inputs import find_inputs
from runner.dataset.jobs import Job, make_jobs
from runner.dataset.merge import merge_batches
from runner.dataset.output import Output
from runner.dataset.tokens import EstimatedTokens
from runner.dataset.value import Dataset
from runner.dataset.watched import Doing
from runner.dataset.worker import Worker
from runner.errors import InvalidInputError
from runner.examples.read import read_examples
from runner.examples.wire import Bounds, Request
from runner.recipe.load import LoadedRecipe, load_recipe

LIMITS = DatasetLimits(min_examples=3, max_example_tokens=60)
RECIPE: dict[str, Any] = {
    "version": 1,
    "name": "test",
    "key": "id",
    "fields": {"title": "title", "body": {"path": "body", "default": ""}},
    "templates": [
        {
            "name": name,
            "messages": [
                {"role": "system", "content": "You know 100%."},
                {"role": "user", "content": question},
                {"role": "assistant", "content": "{{ body }}"},
            ],
        }
        for name, question in (("plain", "{{ title }}"), ("long", "{{ title | trim }} 관련 내용을 알려줘."))
    ],
    "split": {"validation": 0.3, "seed": 1},
    "training": {"model": "tiny-1"},
}
MakeRecipe = Callable[..., LoadedRecipe]


@pytest.fixture
def recipe(project: Path) -> MakeRecipe:
    """Write a recipe and its sources, by name; the rest are parts of the recipe."""

    def make(files: dict[str, bytes], **parts: Any) -> LoadedRecipe:
        for name, content in files.items():
            (project / name).write_bytes(content)
        value = RECIPE | {"sources": [{"path": name} for name in files]} | parts
        text = yaml.safe_dump({key: item for key, item in value.items() if item is not None})
        (project / "recipe.yaml").write_text(text, encoding="utf-8")
        return load_recipe(project / "recipe.yaml")

    return make


def built(loaded: LoadedRecipe, n_workers: int = 1, piece_bytes: int = 1 << 20) -> Dataset:
    folder = loaded.project.root / f"out-{n_workers}-{piece_bytes}"
    effort = Effort(n_workers=n_workers, piece_bytes=piece_bytes)
    dataset = build_dataset(loaded, find_inputs(loaded), folder, (LIMITS, EstimatedTokens()), effort)
    assert [] == list(folder.glob(".building*"))
    return replace(dataset, folder=Path())


def expected(loaded: LoadedRecipe) -> Dataset:
    """What reading record by record in this process makes."""
    folder = loaded.project.root / "expected"
    examples = read_examples(loaded.recipe, loaded.folder, loaded.project)
    checker = Checker(LIMITS, EstimatedTokens(), loaded.recipe.checks)
    dataset = build_one_by_one(loaded.recipe, examples, find_inputs(loaded), Output(folder), checker)
    return replace(dataset, folder=Path())


def rows(count: int) -> list[dict[str, Any]]:
    """Records in two scripts; some questions and some whole examples come again."""
    return [
        {
            "id": f"문서-{number}",
            "title": f"제목 {number % 17 if number % 5 == 0 else number}",
            "body": f"답 {number % 3}"
            if number % 2
            else f'The "answer", {number % 3}.\r\n\u2028}},{{ {{{{ x }}}}',
            "n": number,
        }
        for number in range(count)
    ]


def as_jsonl(records: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def as_json(records: list[dict[str, Any]]) -> bytes:
    return json.dumps(records, ensure_ascii=False, indent=1).encode()


def as_csv(records: list[dict[str, Any]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, ["id", "title", "body", "n"])
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue().encode()


def as_parquet(records: list[dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(records), stream, row_group_size=600)
    return stream.getvalue()


WRITERS = {"jsonl": as_jsonl, "json": as_json, "csv": as_csv, "parquet": as_parquet}


class Watch:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.totals: list[int | None] = []
        self.n_records = self.n_bytes = self.n_ends = 0

    def begin(self, total_bytes: int | None, doing: Doing = "building") -> None:
        self.doing = doing
        if doing == "building":
            self.totals.append(total_bytes)
            self.n_records = self.n_bytes = 0

    def advance(self, n_records: int, n_bytes: int) -> None:
        if self.doing == "building":
            self.n_records, self.n_bytes = self.n_records + n_records, self.n_bytes + n_bytes

    def end(self) -> None:
        self.n_ends += 1


def test_whoever_watches_is_told_of_all_records_and_bytes(recipe: MakeRecipe) -> None:
    content = as_jsonl(rows(40))
    watch = watch_build(recipe({"data.jsonl": content}))

    assert ([len(content)], 40, len(content), 1) == (
        watch.totals,
        watch.n_records,
        watch.n_bytes,
        watch.n_ends,
    )


def test_a_build_that_begins_again_counts_again(recipe: MakeRecipe) -> None:
    """Two records with one key are read record by record; each of theirs has two examples."""
    content = as_jsonl([*rows(40), *rows(1)])
    watch = watch_build(recipe({"data.jsonl": content}, key=None))

    assert ([len(content), None], 41, 0, 1) == (watch.totals, watch.n_records, watch.n_bytes, watch.n_ends)


def test_the_size_of_a_packed_source_tells_nothing(recipe: MakeRecipe) -> None:
    watch = watch_build(recipe({"data.jsonl.gz": gzip.compress(as_jsonl(rows(40)))}))

    assert ([None], 40) == (watch.totals, watch.n_records)


def watch_build(loaded: LoadedRecipe) -> Watch:
    watch = Watch()
    effort = Effort(n_workers=1, piece_bytes=1_000, watch=watch)
    folder = loaded.project.root / "watched"
    build_dataset(loaded, find_inputs(loaded), folder, (LIMITS, EstimatedTokens()), effort)
    return watch


@pytest.mark.parametrize("suffix", WRITERS)
def test_processes_and_pieces_change_nothing(recipe: MakeRecipe, suffix: str) -> None:
    loaded = recipe({f"data.{suffix}": WRITERS[suffix](rows(400))})
    wanted = expected(loaded)

    assert {"FT107", "FT108", "FT109"} <= {finding.code for finding in wanted.findings}
    assert 400 == wanted.n_records
    for n_workers, piece_bytes in ((1, 1 << 20), (2, 700), (5, 3_000)):
        assert wanted == built(loaded, n_workers, piece_bytes)


def test_processes_share_the_rows_of_a_file(recipe: MakeRecipe) -> None:
    """More blocks than processes, and fewer."""
    loaded = recipe({"data.parquet": as_parquet(rows(1_500))})
    wanted = expected(loaded)

    assert 1_500 == wanted.n_records
    for n_workers in (1, 3):
        assert wanted == built(loaded, n_workers)


def test_examples_with_more_than_text_are_built_the_same(recipe: MakeRecipe) -> None:
    """Tools, calls and weights among plain conversations; some records come again."""
    call = json.dumps({"name": "weather", "arguments": {"city": "부산"}}, ensure_ascii=False)
    turns = [
        ("human", "날씨?"),
        ("function_call", call),
        ("observation", "맑음\u2028"),
        ("gpt", "맑아요 }},{{"),
    ]
    records = [
        {
            "id": str(number),
            "tools": [{"name": "weather"}] if number % 3 else [],
            "conversations": [
                {"from": who, "value": text} for who, text in (turns if number % 3 else turns[::3])
            ]
            + ([{"from": "gpt", "value": f"{number % 50}", "weight": number % 2}]),
        }
        for number in range(200)
    ]
    template = {"from": "sharegpt", "system": "100% {{ id }}"}
    parts = {"fields": {"id": "id"}, "templates": None, "template": template, "key": "id"}
    loaded = recipe({"data.jsonl": as_jsonl(records)}, **parts)
    wanted = expected(loaded)

    assert 200 == wanted.n_records
    for n_workers, piece_bytes in ((1, 1 << 20), (2, 3_000)):
        assert wanted == built(loaded, n_workers, piece_bytes)


def test_checks_see_the_same_in_any_number_of_processes(recipe: MakeRecipe) -> None:
    """Suppressions by key and by expression, rules about the whole dataset, and all that was found."""
    records = rows(300)
    for number in range(0, 300, 3):
        records[number]["body"] = (
            f"담당자는 kim{number}@dewlatch.co.kr 입니다. 이 페이지가 도움이 되었나요? 네."
        )
    ignore = [
        {"code": "FT303", "records": ["문서-6", "문서-12"], "reason": "they agreed"},
        {"code": "FT205", "where": "title == '제목 5'", "reason": "meant"},
    ]
    loaded = recipe(
        {"data.jsonl": as_jsonl(records)},
        checks={"levels": {"FT401": "info", "FT402": "info"}, "ignore": ignore},
    )
    wanted = expected(loaded)

    assert {"FT303", "FT401", "FT402", "FT403"} <= {finding.code for finding in wanted.findings}
    assert all(wanted.ignored)
    for n_workers, piece_bytes in ((1, 1 << 20), (3, 900)):
        assert wanted == built(loaded, n_workers, piece_bytes)


def test_the_files_are_those_of_reading_record_by_record(recipe: MakeRecipe) -> None:
    loaded = recipe({"data.jsonl": as_jsonl(rows(50))})
    root = loaded.project.root
    built(loaded, 2, 900)
    expected(loaded)

    content = {path.name: path.read_bytes() for path in (root / "expected").iterdir()}
    assert 4 == len(content)
    assert content == {path.name: path.read_bytes() for path in (root / "out-2-900").iterdir()}


def test_several_sources_keep_their_order_and_rows(recipe: MakeRecipe) -> None:
    """A blank line, a file in another encoding and one that cannot be cut are among them."""
    first, second, third = rows(30)[:10], rows(30)[10:20], rows(30)[20:]
    for record in third:
        record["body"] = "같은 답"
    loaded = recipe(
        {
            "a.jsonl": as_jsonl(first).replace(b"\n", b"\n\n"),
            "b.csv": as_csv(second).decode().replace("\u2028", "").encode("cp949"),
            "c.json": as_json(third).decode().encode("utf-16"),
            "d.jsonl": b"\xef\xbb\xbf" + as_jsonl([record | {"id": f"{record['id']} d"} for record in first]),
        },
        sources=[
            {"path": "a.jsonl"},
            {"path": "b.csv", "encoding": "cp949"},
            {"path": "c.json", "encoding": "utf-16"},
            {"path": "d.jsonl"},
        ],
    )

    assert expected(loaded) == built(loaded, 2, 600)


def test_a_list_inside_the_file_is_cut(recipe: MakeRecipe) -> None:
    content = (
        b'\xef\xbb\xbf {"a": {"x": [], "list": ' + as_json(rows(60)) + b', "y": [1]}, "list": [{"id": 0}]}'
    )
    loaded = recipe({"data.json": content}, sources=[{"path": "data.json", "records": "a.list"}])

    assert 60 == built(loaded, 2, 800).n_records
    assert expected(loaded) == built(loaded, 2, 800)


def test_another_list_before_the_right_one_is_not_taken_for_it(recipe: MakeRecipe) -> None:
    """Text that looks like the way to the list leads to another."""
    other = as_json(rows(60))
    content = b'{"list": [], "z": {"list": ' + other + b"}}"
    loaded = recipe(
        {"data.json": content + b" " * 5_000, "more.jsonl": as_jsonl(rows(5))},
        sources=[{"path": "data.json", "records": "list"}, {"path": "more.jsonl"}],
    )

    assert 5 == built(loaded, 2, 800).n_records


PROBLEMS: dict[str, dict[str, Any]] = {
    "a repeated key": {"files": {"data.jsonl": as_jsonl([*rows(40), rows(1)[0]])}},
    "a missing field": {"files": {"data.jsonl": as_jsonl([*rows(40), {"id": "x"}])}},
    "a key twice in one object": {"files": {"data.jsonl": as_jsonl(rows(40)) + b'{"id": 1, "id": 2}\n'}},
    "a broken line": {"files": {"data.jsonl": as_jsonl(rows(20)) + b"{\n" + as_jsonl(rows(20))}},
    "no UTF-8": {"files": {"data.jsonl": as_jsonl(rows(20)) + b'{"id": "\xff"}\n'}},
    "a ragged row": {"files": {"data.csv": as_csv(rows(20)) + b"a,b\r\n"}},
    "an open quote": {"files": {"data.csv": as_csv(rows(20)) + b'"a,b\r\n'}},
    "no list": {"files": {"data.json": b'{"documents": ' + as_json(rows(20)) + b"}"}},
    "text after the list": {"files": {"data.json": as_json(rows(20)) + b"]"}},
    "a template that fails": {
        "files": {"data.jsonl": as_jsonl(rows(20))},
        "where": "body | round > 1",
    },
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_problems_are_those_of_reading_record_by_record(recipe: MakeRecipe, problem: str) -> None:
    loaded = recipe(**PROBLEMS[problem])
    with pytest.raises(InvalidInputError) as wanted:
        expected(loaded)

    with pytest.raises(InvalidInputError) as error:
        built(loaded, 2, 700)

    assert wanted.value.issues == error.value.issues
    assert [] == list((loaded.project.root / "out-2-700").iterdir())


def test_repeated_keys_are_named_without_a_second_build(
    recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one found that every record makes its examples; checking them again says nothing more."""
    monkeypatch.setattr("runner.dataset.build.build_one_by_one", None)
    loaded = recipe({"data.jsonl": as_jsonl([*rows(20), *rows(2)])})
    with pytest.raises(InvalidInputError) as error:
        built(loaded, 2, 700)

    said = "expected each key once. It first stands in data.jsonl: row"
    advice = "Remove one, or choose another `key`."
    assert [
        f"data.jsonl: row 21: key: found '문서-0' again, {said} 1. {advice}",
        f"data.jsonl: row 22: key: found '문서-1' again, {said} 2. {advice}",
    ] == list(map(str, error.value.issues))


def test_without_a_key_records_are_numbered_as_they_repeat(recipe: MakeRecipe) -> None:
    loaded = recipe({"data.jsonl": as_jsonl([*rows(20), *rows(3)])}, key=None)

    assert expected(loaded) == built(loaded, 2, 700)


snippets = st.sampled_from(
    ["\u2028", "\x85", "\0", "\r\n", '"', '""', "},{", '},{"id":', "\\", "😀", "가", "%", ","]
)
texts = st.lists(snippets | st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=8).map(
    "".join
)
tables = st.lists(st.fixed_dictionaries({"title": texts, "body": texts}), min_size=1, max_size=12)


@given(table=tables, suffix=st.sampled_from(["csv", "json", "jsonl"]), piece_bytes=st.integers(40, 400))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_adversarial_text_changes_nothing(
    recipe: MakeRecipe, table: list[dict[str, str]], suffix: str, piece_bytes: int
) -> None:
    """In one process, because that is fast; a piece that cannot be used is a failure here."""
    records = [{"id": str(number), **row, "n": number} for number, row in enumerate(table)]
    loaded = recipe({f"data.{suffix}": WRITERS[suffix](records)})

    assert expected(loaded) == in_process(loaded, piece_bytes)


def in_process(loaded: LoadedRecipe, piece_bytes: int) -> Dataset:
    """The dataset that the batches of a worker make, without a process."""
    request = Request(recipe=loaded.recipe, folder=loaded.folder, project=loaded.project, bounds=Bounds())
    worker, checker = Worker(request, EstimatedTokens(), LIMITS), Checker(LIMITS, EstimatedTokens())
    with Output(loaded.project.root / "in-process") as output, patch("runner.dataset.worker.clock"):
        merge_batches(_batches(worker, make_jobs(request, piece_bytes)), output, checker)
        dataset = output.dataset(loaded.recipe, find_inputs(loaded), checker)
    return replace(dataset, folder=Path())


def _batches(worker: Worker, jobs: Iterator[Job]) -> Iterator[tuple[Job, Batch]]:
    for job in jobs:
        assert job.piece is not None
        how = {"opens": job.piece.opens, "inside": job.piece.inside, "n_probes": job.piece.n_probes}
        line = {"piece": job.number, "source": job.source, "file": job.file, "how": how}
        for batch in worker.batches(line, job.piece.content, job.piece.proof):
            stream = io.BytesIO()
            write_batch(stream, batch)
            stream.seek(0)
            received = read_batch(stream)
            assert received is not None
            yield job, received
