"""Arrow columns to records: every type has one form as JSON data, whatever file it came from."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from runner.display import one_line, shown
from runner.errors import InvalidInputError
from runner.issues import Issue, Place
from runner.sources.base import BLOCK_ROWS, WHOLE, Record, Share, unusable
from runner.sources.unpack import ALLOW_UNPACKED
from runner.sources.values import NotPlainError, bytes_text, plain

# Rows that are Python objects at one time; a whole row group as such may be gigabytes.
ROWS_PER_BATCH = 128

# A record of one column and its name takes as much.
MIN_ROW_BYTES = 8

Convert = Callable[[Any], Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_DAY_S = 86_400


def quiet_arrow() -> Any:
    """Arrow without threads or arenas of its own, whose reserved memory would count against the bound."""
    import pyarrow

    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    return pyarrow


class Allowed:
    """The bytes that rows may have in all, since one value can stand for millions of rows in a small file."""

    def __init__(self, file: str, limit: int) -> None:
        self._file = file
        self._left = self._limit = limit

    def refuse_rows(self, count: int, packed_bytes: int) -> None:
        """Raise InvalidInputError, before it is read, where a file of so many bytes has far too many rows."""
        most = self._limit // MIN_ROW_BYTES
        if count > most:
            raise unusable(
                self._file,
                f"found {count} rows in {packed_bytes} bytes, expected at most {most}. {ALLOW_UNPACKED}",
            )

    def take(self, batch: Any) -> None:
        """Count rows. Raises InvalidInputError where they are more than is allowed."""
        sizes = (_plain(column).nbytes for column in batch.columns)
        self._left -= sum(sizes) + batch.num_rows * MIN_ROW_BYTES
        if self._left < 0:
            raise unusable(
                self._file, f"found rows of more than {self._limit} bytes, expected no more. {ALLOW_UNPACKED}"
            )


def records_of_batches(
    batches: Iterator[Any], schema: Any, file: str, allowed: Allowed, share: Share = WHOLE
) -> Iterator[Record | Issue]:
    """The records of Arrow record batches that belong to a share.

    Raises InvalidInputError for a column that has no form as JSON, and for more bytes than are allowed.
    """
    columns = _compile(schema, file)
    row = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            # No piece reaches into the next block, which may be of another share.
            piece = batch.slice(start, min(ROWS_PER_BATCH, BLOCK_ROWS - row % BLOCK_ROWS))
            allowed.take(piece)
            if share.has(row):
                yield from _records(piece, columns, file, row)
            start += piece.num_rows
            row += piece.num_rows


@contextmanager
def explained(kind: str, file: str) -> Iterator[None]:
    """Turn what Arrow says of a file that it cannot read into an issue."""
    import pyarrow

    try:
        yield
    except MemoryError:
        raise
    except (pyarrow.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = one_line(str(error), limit=120)
        message = (
            f"found a file that cannot be read as {kind} ({reason}), expected a sound one. Write it again."
        )
        raise InvalidInputError([Issue(place=Place(file=file), message=message)]) from None


def _compile(schema: Any, file: str) -> list[tuple[str, Any, Convert | None]]:
    columns: list[tuple[str, Any, Convert | None]] = []
    issues = []
    first: dict[str, int] = {}
    for index, field in enumerate(schema):
        place = Place(file=file)
        if first.setdefault(field.name, index) < index:
            message = f"found the column {shown(field.name)} twice, expected each once. Rename one."
            issues.append(Issue(place=place, message=message))
            continue
        try:
            columns.append((field.name, *_form(field.type)))
        except NotPlainError as error:
            issues.append(Issue(place=place, message=f"column {shown(field.name)}: {error}"))
    if issues:
        raise InvalidInputError(issues)
    return columns


def _records(
    batch: Any, columns: list[tuple[str, Any, Convert | None]], file: str, before: int
) -> Iterator[Record | Issue]:
    try:
        cells = [_cells(batch.column(index), kind) for index, (_, kind, _) in enumerate(columns)]
    except UnicodeDecodeError:
        # Arrow does not check text before it is taken out: one by one tells which row it is.
        if batch.num_rows == 1:
            message = "found bytes that are not UTF-8 in a text column, expected text. Repair the row."
            yield Issue(place=Place(file=file, row=before + 1), message=message)
            return
        for index in range(batch.num_rows):
            yield from _records(batch.slice(index, 1), columns, file, before + index)
        return
    for row, values in enumerate(zip(*cells, strict=True), start=before + 1):
        data, problems = {}, []
        for (name, _, convert), value in zip(columns, values, strict=True):
            try:
                data[name] = convert(value) if convert and value is not None else value
            except NotPlainError as error:
                problems.append(
                    Issue(place=Place(file=file, row=row), message=f"column {shown(name)}: {error}")
                )
        if problems:
            yield from problems
        else:
            yield Record(data, file, row)


def _cells(column: Any, kind: Any) -> list[Any]:
    cells: list[Any] = (column if column.type == kind else column.cast(kind)).to_pylist()
    return cells


def _plain(column: Any) -> Any:
    """A column with its values in the place of their numbers."""
    from pyarrow import types

    return column.cast(column.type.value_type) if types.is_dictionary(column.type) else column


def _form(kind: Any) -> tuple[Any, Convert | None]:
    """The type to take a column out as, and what makes JSON data of a value of it. Raises NotPlainError."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_dictionary(kind):
        return _form(kind.value_type)
    if types.is_null(kind) or types.is_boolean(kind) or types.is_integer(kind) or _is_text(kind):
        return kind, None
    if types.is_float64(kind):
        return kind, plain
    if types.is_floating(kind):
        # As text first: the shortest number that stands for it, not its 64-bit neighbour.
        return pa.string(), lambda text: plain(float(text))
    if types.is_decimal(kind):
        # A number without digits after the point is a whole number: sums and keys of databases are such.
        return kind, int if kind.scale == 0 else _decimal
    if _is_bytes(kind):
        return kind, bytes_text
    if types.is_struct(kind) or types.is_map(kind) or _is_list(kind):
        return _nested_form(kind)
    return _time_form(kind)


def _nested_form(kind: Any) -> tuple[Any, Convert | None]:
    import pyarrow as pa
    from pyarrow import types

    if types.is_struct(kind):
        fields = list(kind)
        forms = {field.name: _form(field.type) for field in fields}
        if len(forms) < len(fields):
            raise NotPlainError("found two parts with one name, expected each name once. Rename one.")
        target = pa.struct([field.with_type(forms[field.name][0]) for field in fields])
        converts = {name: convert for name, (_, convert) in forms.items()}
        return target, lambda value: {name: _applied(converts[name], item) for name, item in value.items()}
    if types.is_map(kind):
        if not _is_text(kind.key_type):
            raise NotPlainError(f"found a map with keys of type {kind.key_type}, expected text. Convert it.")
        target, convert = _form(kind.item_type)
        return pa.map_(kind.key_type, target), lambda pairs: _mapping(pairs, convert)
    target, convert = _form(kind.value_type)
    as_list = pa.large_list if types.is_large_list(kind) else pa.list_
    return as_list(target), lambda items: [_applied(convert, item) for item in items]


def _time_form(kind: Any) -> tuple[Any, Convert | None]:
    import pyarrow as pa
    from pyarrow import types

    if types.is_timestamp(kind):
        mark = "Z" if kind.tz else ""
        return pa.int64(), lambda number: _timestamp(number, kind.unit) + mark
    if types.is_date32(kind):
        return pa.int32(), lambda days: _timestamp(days * _DAY_S, "s")[:10]
    if types.is_date64(kind):
        return pa.int64(), lambda number: _timestamp(number, "ms")[:10]
    if types.is_time(kind):
        target = pa.int32() if types.is_time32(kind) else pa.int64()
        return target, lambda number: _timestamp(number, kind.unit)[11:]
    raise NotPlainError(
        f"found the type {one_line(str(kind))}, expected text, numbers, dates, lists or objects. "
        "Convert the column, or leave it out."
    )


def _timestamp(number: int, unit: str) -> str:
    seconds, rest = divmod(number, _PER_SECOND[unit])
    try:
        text = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    except OverflowError:
        raise NotPlainError(
            f"found a time {seconds} seconds from 1970, expected one between the years "
            f"{date.min.year} and {date.max.year}. Repair it."
        ) from None
    if not rest:
        return text
    nanoseconds = rest * (_PER_SECOND["ns"] // _PER_SECOND[unit])
    return f"{text}.{nanoseconds:09d}" if nanoseconds % 1_000 else f"{text}.{nanoseconds // 1_000:06d}"


def _decimal(value: Decimal) -> str:
    return format(value, "f")


def _mapping(pairs: list[tuple[str, Any]], convert: Convert | None) -> dict[str, Any]:
    result = {key: _applied(convert, item) for key, item in pairs}
    if len(result) < len(pairs):
        raise NotPlainError("found a key twice in one map, expected each key once. Remove one.")
    return result


def _applied(convert: Convert | None, value: Any) -> Any:
    return convert(value) if convert and value is not None else value


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _is_bytes(kind: Any) -> bool:
    from pyarrow import types

    is_variable = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    return bool(is_variable or types.is_fixed_size_binary(kind))


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))
