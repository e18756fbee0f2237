"""Hostile and broken inputs: each ends in a sentence that names file and row, in bounded memory."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from runner.errors import InvalidInputError
from runner.project import Project
from runner.recipe.model import Source
from runner.sources.read import read_records
from tests.powerless import powerless
from tests.sources.conftest import Read

DEEP = "found nesting deeper than 200 levels, expected less. Flatten the record."
NAN = "found NaN, expected a JSON number. Use null, and give the field a default."
TWICE = "found the key 'a' twice in one object, expected each key once. Remove one."


def put(read: Read, name: str, content: bytes) -> dict[str, Any]:
    (read.folder / name).write_bytes(content)
    return {"path": name}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", b'{"b": 1}\n{"a": ' + b"[" * 100_000, f"a.jsonl: row 2: {DEEP}"),
        ("a.json", b'[{"a": ' + b"[" * 100_000, f"a.json: row 1: {DEEP}"),
        ("a.yaml", b"- {a: " + b"[" * 100_000, f"a.yaml:1:207: {DEEP}"),
        ("a.jsonl", b'{}\n{"a": NaN}', f"a.jsonl: row 2: {NAN}"),
        ("a.json", b'[{}, {"a": NaN}]', f"a.json: row 2: {NAN}"),
        ("a.jsonl", b'{}\n{"a": 1, "a": 2}', f"a.jsonl: row 2: {TWICE}"),
        ("a.json", b'[{}, {"a": 1, "a": 2}]', f"a.json: row 2: {TWICE}"),
        (
            "a.yaml",
            b"- {}\n- {a: 1, a: 2}\n",
            "a.yaml: row 2: found the key 'a' twice in one mapping, expected each key once. Remove one.",
        ),
        (
            "a.csv",
            b"a,a\n1,2\n",
            "a.csv: found the column 'a' twice in the header, expected each once. Rename one.",
        ),
        *(
            (
                name,
                content + b"\xff",
                f"{name}:{line}: found bytes that are not utf-8 text (byte {len(content)} of the file), "
                "expected utf-8. Set `encoding` on this source, or save the file as UTF-8.",
            )
            for name, content, line in [
                ("a.jsonl", b'{"a": "', 1),
                ("a.json", b'[{"a":\n"', 2),
                ("a.csv", b"a\nb\n", 3),
                ("a.yaml", b"- a: ", 1),
            ]
        ),
    ],
)
def test_text_that_no_program_should_accept(name: str, content: bytes, expected: str, read: Read) -> None:
    assert expected == read.problem(put(read, name, content))


@pytest.mark.parametrize(
    ("name", "start", "expected"),
    [
        (
            "a.jsonl",
            b'{"a": "',
            "a.jsonl:1: found a line of more than 16777216 characters, expected one record per line. "
            "Split it, or set `format`.",
        ),
        (
            "a.csv",
            b"a\n",
            "a.csv:2: found a line of more than 16777216 characters, expected one record per line. "
            "Split it, or set `format`.",
        ),
        (
            "a.json",
            b'[{"a": "',
            "a.json: row 1: found a value of more than 16777216 characters, expected a record of text. "
            "Split it.",
        ),
    ],
)
def test_a_line_of_50_megabytes(name: str, start: bytes, expected: str, read: Read) -> None:
    (read.folder / name).write_bytes(start + b"x" * 50_000_000)

    assert [expected] == list(map(str, read.confined({"path": name})))


@pytest.mark.long
def test_a_yaml_line_of_50_megabytes(read: Read) -> None:
    (read.folder / "a.yaml").write_bytes(b"- a: " + b"x" * 50_000_000)

    assert [
        "a.yaml:1:3: found a value of more than 2097152 characters, expected a record of text. Split it."
    ] == list(map(str, read.confined({"path": "a.yaml"})))


@pytest.mark.long
def test_a_gzip_bomb_of_2_gigabytes(project: Path) -> None:
    """Parts are packed once and repeated: 5 MB on disk, of which the first 3 are as data are."""
    part = gzip.compress((b'{"a": "' + b"x" * 100_000 + b'"}\n') * 600, compresslevel=9)
    start = gzip.compress(json.dumps({"a": os.urandom(2 << 20).hex()}).encode() + b"\n")
    (project / "a.jsonl.gz").write_bytes(start + part * 36)
    size, root = len(start) + 36 * len(part), project.resolve()

    with pytest.raises(InvalidInputError) as error:
        for _ in read_records([Source(path="a.jsonl.gz")], root, Project(root=root)):
            pass

    assert (
        f"a.jsonl.gz: found more than {200 * size} bytes unpacked from {size}, expected no more "
        "(200 times the packed size). If the file is meant to be so large, allow it with --max-unpacked."
        == str(error.value)
    )


def test_a_gzip_bomb_in_one_line(read: Read) -> None:
    part = gzip.compress(b"x" * (16 << 20), compresslevel=9)
    (read.folder / "a.jsonl.gz").write_bytes(part * 40)

    assert [
        "a.jsonl.gz: found more than 67108864 bytes unpacked from the first 335544, expected no more "
        "(200 times the packed size). If the file is meant to be so large, allow it with --max-unpacked."
    ] == list(map(str, read.confined({"path": "a.jsonl.gz"})))


@pytest.mark.parametrize("suffix", ["json", "parquet", "xlsx", "sqlite", "arrow", "yaml", "jsonl.gz", "zip"])
def test_what_is_no_file(suffix: str, read: Read) -> None:
    name = f"a.{suffix}"
    (read.folder / name).mkdir()
    os.mkfifo(read.folder / f"b.{suffix}")

    assert [
        f"{name}: found a folder, expected a file. Write a pattern such as `*.json` for the files in it.",
        f"b.{suffix}: found a pipe, socket or device, expected a regular file. Choose another path.",
    ] == read.problems({"path": name}, {"path": f"b.{suffix}"})


@pytest.mark.parametrize("suffix", ["json", "parquet", "xlsx", "sqlite", "arrow", "yaml", "jsonl.gz", "zip"])
def test_a_file_without_permission(suffix: str, read: Read) -> None:
    source = put(read, f"a.{suffix}", b"x")
    (read.folder / f"a.{suffix}").chmod(0)

    assert (
        f"a.{suffix}: found a file that cannot be read (Permission denied), expected one that can. "
        "Make it readable." == powerless(lambda: read.problem(source))
    )


@pytest.mark.parametrize("path", ["closed/a.jsonl", "closed/*.jsonl", "*/*.jsonl"])
def test_a_folder_without_permission(path: str, read: Read) -> None:
    (read.folder / "closed").mkdir()
    put(read, "closed/a.jsonl", b"{}")
    (read.folder / "closed").chmod(0)

    assert (
        f"{path}: found a folder that cannot be read (Permission denied), expected one that can. "
        "Make it readable." == powerless(lambda: read.problem({"path": path}))
    )


@pytest.mark.parametrize(
    ("name", "content", "n_issues", "expected"),
    [
        (
            "a.csv",
            b"".join(b"c%d," % n for n in range(200_000)) + b"c7\n",
            1,
            "a.csv: found the column 'c7' twice in the header, expected each once. Rename one.",
        ),
        (
            "a.csv",
            b"a," * 200_000 + b"a\n",
            100,
            "a.csv: found the column 'a' twice in the header, expected each once. Rename one.",
        ),
        (
            "a.jsonl",
            b'{"": 0' + b"".join(b',"k%d": 1' % n for n in range(200_000)) + b',"k7": 2}\n',
            1,
            "a.jsonl: row 1: found the key 'k7' twice in one object, expected each key once. Remove one.",
        ),
    ],
)
def test_very_many_names_take_no_more_than_linear_time(
    name: str, content: bytes, n_issues: int, expected: str, read: Read
) -> None:
    """Each against all before it would take minutes; the time is the suite's to notice."""
    assert [expected] * n_issues == read.problems(put(read, name, content))


@pytest.mark.parametrize(("name", "start"), [("a.jsonl", b""), ("a.csv", b"a\n"), ("a.csv", b"")])
def test_a_file_of_empty_lines_ends_soon(name: str, start: bytes, read: Read) -> None:
    source = put(read, name, start + b"\n" * 1_100_000)

    assert (
        f"{name}:{1_000_001 + len(start) // 2}: found more than 1000000 empty lines in a row, expected data. "
        "Remove them." == read.problem(source)
    )


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\xff\xfe"])
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "json", "yaml", "jsonl.gz", "parquet", "sqlite"])
def test_a_file_with_nothing_in_it(suffix: str, mark: bytes, read: Read) -> None:
    source = put(read, f"a.{suffix}", mark)

    assert f"a.{suffix}: found an empty file, expected records. Fill it, or remove the source." == (
        read.problem(source)
    )


def test_one_of_several_files_may_be_empty(read: Read) -> None:
    put(read, "a.jsonl", b"")
    put(read, "b.jsonl", b'{"a": 1}\n')

    assert [{"a": 1}] == read.records({"path": "*.jsonl"})


def test_the_log_of_a_database_that_is_not_here(read: Read) -> None:
    put(read, "a.sqlite-wal", b"x")

    assert (
        "a.sqlite: found no such file, only the log 'a.sqlite-wal' that SQLite keeps beside it, "
        "expected both. Copy the database too." == read.problem({"path": "a.sqlite"})
    )


def test_the_state_folder_is_no_source(read: Read) -> None:
    read.project.make_state()
    put(read, ".finetune/a.jsonl", b"{}")

    assert (
        ".finetune/*.jsonl: found a file of the state folder .finetune, expected data of your own. "
        "Copy it elsewhere." == read.problem({"path": ".finetune/*.jsonl"})
    )


def test_a_header_of_zeros(read: Read) -> None:
    assert (
        "a.csv: found the character U+0000 in column 1 of the header, expected text. Remove it."
        == read.problem(put(read, "a.csv", b"\0" * 1_000))
    )


def test_a_file_that_shrinks_while_it_is_read(project: Path) -> None:
    line = json.dumps({"a": "x" * 100}) + "\n"
    path = project.resolve() / "a.jsonl"
    path.write_text(line * 2_000)
    size = path.stat().st_size
    records = read_records([Source(path="a.jsonl")], project.resolve(), Project(root=project.resolve()))

    next(records)
    os.truncate(path, len(line) * 1_500)
    with pytest.raises(InvalidInputError) as error:
        list(records)

    assert (
        f"a.jsonl: found a file that shrinks while it is read ({size} bytes, then {len(line) * 1_500}), "
        "expected one that is complete. Wait until it is written, or copy it first." == str(error.value)
    )


def test_a_file_that_grows_while_it_is_read(project: Path) -> None:
    line = json.dumps({"a": "x" * 100}) + "\n"
    path = project.resolve() / "a.jsonl"
    path.write_text(line * 2_000)
    size = path.stat().st_size
    records = read_records([Source(path="a.jsonl")], project.resolve(), Project(root=project.resolve()))

    next(records)
    with path.open("a") as stream:
        stream.write(line)
    with pytest.raises(InvalidInputError) as error:
        list(records)

    assert (
        f"a.jsonl: found a file that grows while it is read ({size} bytes, then {size + len(line)}), "
        "expected one that is complete. Wait until it is written, or copy it first." == str(error.value)
    )
