"""Parquet, Arrow and Feather: every type has one form as JSON data."""

import resource
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import Read

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `parquet`)")
parquet = pytest.importorskip("pyarrow.parquet")
feather = pytest.importorskip("pyarrow.feather")

NOON = datetime(2026, 3, 1, 12, 30)  # noqa: DTZ001 - files have times without a zone

# A type, a value of it, and what a record then holds.
FORMS = {
    "text": (pa.string(), "가\u2028나\x00", "가\u2028나\x00"),
    "large text": (pa.large_string(), "a", "a"),
    "text view": (pa.string_view(), "a", "a"),
    "integer": (pa.int64(), -(2**63), -(2**63)),
    "unsigned": (pa.uint64(), 2**64 - 1, 2**64 - 1),
    "boolean": (pa.bool_(), True, True),
    "nothing": (pa.null(), None, None),
    "double": (pa.float64(), 3.0, 3.0),
    "single": (pa.float32(), 0.1, 0.1),
    "half": (pa.float16(), 0.5, 0.5),
    "decimal": (pa.decimal128(10, 2), Decimal("1.50"), "1.50"),
    "whole decimal": (pa.decimal256(50, 0), Decimal(10**40), 10**40),
    "date": (pa.date32(), date(2026, 3, 1), "2026-03-01"),
    "date in milliseconds": (pa.date64(), date(1969, 12, 31), "1969-12-31"),
    "time": (pa.time64("us"), time(1, 2, 3, 4000), "01:02:03.004000"),
    "short time": (pa.time32("s"), time(1, 2, 3), "01:02:03"),
    "timestamp": (pa.timestamp("s"), NOON, "2026-03-01T12:30:00"),
    "fraction": (pa.timestamp("ms"), NOON.replace(microsecond=7000), "2026-03-01T12:30:00.007000"),
    "nanoseconds": (pa.timestamp("ns"), 1_700_000_000_000_000_001, "2023-11-14T22:13:20.000000001"),
    "zone": (pa.timestamp("us", "Asia/Seoul"), NOON.replace(tzinfo=UTC), "2026-03-01T12:30:00Z"),
    "before 1970": (pa.timestamp("ms"), -1, "1969-12-31T23:59:59.999000"),
    "bytes": (pa.binary(), "가".encode(), "가"),
    "fixed bytes": (pa.binary(2), b"ab", "ab"),
    "dictionary": (pa.dictionary(pa.int8(), pa.string()), "a", "a"),
    "list": (pa.list_(pa.timestamp("s")), [NOON, None], ["2026-03-01T12:30:00", None]),
    "large list": (pa.large_list(pa.float32()), [0.1], [0.1]),
    "list of fixed size": (pa.list_(pa.int8(), 2), [1, 2], [1, 2]),
    "object": (
        pa.struct({"a": pa.date32(), "b": pa.int8()}),
        {"a": date(2026, 3, 1)},
        {"a": "2026-03-01", "b": None},
    ),
    "map": (
        pa.map_(pa.string(), pa.decimal128(3, 1)),
        [("x", Decimal("1.5")), ("y", None)],
        {"x": "1.5", "y": None},
    ),
    "nested": (
        pa.list_(pa.struct({"role": pa.dictionary(pa.int8(), pa.string()), "n": pa.list_(pa.float32())})),
        [{"role": "user", "n": [0.1]}, None],
        [{"role": "user", "n": [0.1]}, None],
    ),
}


def write(folder: Path, table: Any) -> None:
    feather.write_feather(table, folder / "data.arrow", compression="uncompressed")


def one(read: Read, value: Any, kind: Any) -> list[Any]:
    write(read.folder, pa.table({"x": pa.array([value, None], kind)}))
    return read.records({"path": "data.arrow"})


@pytest.mark.parametrize("name", FORMS)
def test_every_type_has_one_form(name: str, read: Read) -> None:
    kind, value, expected = FORMS[name]

    assert [{"x": expected}, {"x": None}] == one(read, value, kind)


@pytest.mark.parametrize("name", [name for name in FORMS if name not in ("half", "text view")])
def test_parquet_gives_what_arrow_gives(name: str, read: Read) -> None:
    kind, value, expected = FORMS[name]
    parquet.write_table(pa.table({"x": pa.array([value, None], kind)}), read.folder / "data.parquet")

    assert [{"x": expected}, {"x": None}] == read.records({"path": "data.parquet"})


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        (pa.float64(), float("nan"), "found NaN, expected a number. Use null, and give the field a default."),
        (
            pa.float32(),
            float("-inf"),
            "found an infinite number, expected a finite one. Use null, and give the field a default.",
        ),
        (
            pa.binary(),
            b"\xff\xd8",
            "found 2 bytes that are not UTF-8 text, expected text. Leave the column out.",
        ),
        (
            pa.timestamp("s"),
            10**15,
            "found a time 1000000000000000 seconds from 1970, expected one between the years 1 and 9999. "
            "Repair it.",
        ),
        (
            pa.map_(pa.string(), pa.int8()),
            [("a", 1), ("a", 2)],
            "found a key twice in one map, expected each key once. Remove one.",
        ),
    ],
)
def test_a_value_without_a_form_is_named(kind: Any, value: Any, found: str, read: Read) -> None:
    write(read.folder, pa.table({"x": pa.array([None, value], kind)}))

    assert f"data.arrow: row 2: column 'x': {found}" == read.problem({"path": "data.arrow"})


def test_a_type_without_a_form_is_named(read: Read) -> None:
    write(read.folder, pa.table({"x": pa.array([1], pa.duration("s")), "y": [1]}))

    assert (
        "data.arrow: column 'x': found the type duration[s], expected text, numbers, dates, lists or "
        "objects. "
        "Convert the column, or leave it out." == read.problem({"path": "data.arrow"})
    )


def test_text_that_is_not_utf8_is_named_by_row(read: Read) -> None:
    broken = pa.array([b"a", b"b", b"\xff"]).view(pa.string())
    parquet.write_table(pa.table({"x": broken}), read.folder / "data.parquet")

    assert (
        "data.parquet: row 3: found bytes that are not UTF-8 in a text column, expected text. "
        "Repair the row." == read.problem({"path": "data.parquet"})
    )


def test_rows_are_counted_over_batches(read: Read) -> None:
    table = pa.table({"n": list(range(1_000))})
    parquet.write_table(table, read.folder / "a.parquet", row_group_size=300)
    feather.write_feather(table, read.folder / "a.feather", chunksize=70)

    for name in ("a.parquet", "a.feather"):
        assert [(name, row) for row in range(1, 1_001)] == read.rows({"path": name})
        assert [{"n": n} for n in range(1_000)] == read.records({"path": name})


def test_an_arrow_stream_is_read_as_well(read: Read) -> None:
    table = pa.table({"n": [1, 2]})
    with pa.OSFile(str(read.folder / "a.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as out:
        out.write_table(table)

    assert [{"n": 1}, {"n": 2}] == read.records({"path": "a.arrow"})


def test_a_broken_footer_is_an_issue(read: Read) -> None:
    parquet.write_table(pa.table({"n": [1]}), read.folder / "a.parquet")
    content = (read.folder / "a.parquet").read_bytes()
    (read.folder / "a.parquet").write_bytes(content[:-12] + b"\xff" * 8 + b"PAR1")
    (read.folder / "b.parquet").write_bytes(content[:-4])

    problem, other = read.problems({"path": "a.parquet"}, {"path": "b.parquet"})

    assert problem.startswith("a.parquet: found a file that cannot be read as Parquet (")
    assert other == (
        "b.parquet: found a file that cannot be read as Parquet (Parquet magic bytes not found in "
        "footer. Either "
        "the file is corrupted or this is not a parquet file.), expected a sound one. Write it again."
    )


@pytest.mark.parametrize("content", [b"ARROW1\0\0", b"ARROW1\0\0" + b"\xff" * 64 + b"ARROW1", b"x" * 100])
def test_a_broken_arrow_file_is_an_issue(content: bytes, read: Read) -> None:
    (read.folder / "a.arrow").write_bytes(content)

    assert read.problem({"path": "a.arrow"}).startswith(
        "a.arrow: found a file that cannot be read as Arrow ("
    )


def test_feather_of_old_is_named(read: Read) -> None:
    (read.folder / "a.feather").write_bytes(b"FEA1" + b"\0" * 20)

    assert (
        "a.feather: found Feather version 1, expected version 2, which is Arrow. Write the file again."
        == read.problem({"path": "a.feather"})
    )


@pytest.mark.long
def test_memory_stays_flat(read: Read) -> None:
    """One row group of a million rows; as Python objects it would be 500 MB."""
    n = 1_000_000
    table = pa.table({"n": pa.array(range(n)), "text": pa.array(["가" * 60] * n)})
    parquet.write_table(table, read.folder / "a.parquet", row_group_size=n)
    del table
    from runner.project import Grants
    from runner.recipe.model import Source
    from runner.sources.parquet import read as read_parquet

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    n_records = sum(1 for _ in read_parquet(read.folder / "a.parquet", Source(path="x"), "x", Grants()))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert n == n_records
    assert after - before < 150_000


def repeated(value: str, count: int) -> Any:
    """A column of one value, which the file holds once."""
    return pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()).take(pa.array([0] * count)), [value])


def test_rows_that_a_small_file_cannot_hold_are_not_read(read: Read) -> None:
    parquet.write_table(pa.table({"a": repeated("가", 9_000_000)}), read.folder / "a.parquet")
    size = (read.folder / "a.parquet").stat().st_size

    assert (
        f"a.parquet: found 9000000 rows in {size} bytes, expected at most 8388608. If the file is meant to "
        "be so large, allow it with --max-unpacked." == read.problem({"path": "a.parquet"})
    )


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_a_long_value_that_stands_once_for_many_rows_ends(name: str, read: Read) -> None:
    table = pa.table({"a": repeated("x" * 1_000_000, 100)})
    if name == "a.parquet":
        parquet.write_table(table, read.folder / name)
    else:
        feather.write_feather(table, read.folder / name)

    assert (
        f"{name}: found rows of more than 67108864 bytes, expected no more. If the file is meant to be so "
        "large, allow it with --max-unpacked." == read.problem({"path": name})
    )
