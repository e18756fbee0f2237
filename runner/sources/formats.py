"""Which formats there are, and which of them a file is in."""

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from pathlib import Path, PurePath
from typing import Any

from runner.display import shown
from runner.recipe.model import Source
from runner.sources import delimited, json_array, json_lines, yaml_documents
from runner.sources.base import BinaryFormat, Format
from runner.sources.unpack import compression_of, inner_name


def _late(name: str) -> Any:
    """A module of this package that is run when something of it is asked for, not when a command starts."""
    full_name = f"{__package__}.{name}"
    if full_name not in sys.modules:
        spec = find_spec(full_name)
        if spec is None or spec.loader is None:
            raise AssertionError(f"BUG: there is no {full_name}")
        spec.loader = LazyLoader(spec.loader)
        sys.modules[full_name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full_name])
    return sys.modules[full_name]


TEXT_FORMATS: dict[str, Format] = {
    "json": json_array,
    "jsonl": json_lines,
    "csv": delimited,
    "tsv": delimited,
    "yaml": yaml_documents,
}
BINARY_FORMATS: dict[str, BinaryFormat] = {
    "parquet": _late("parquet"),
    "arrow": _late("arrow"),
    "excel": _late("excel"),
    "sqlite": _late("sqlite"),
}
FORMATS: dict[str, Format | BinaryFormat] = {**TEXT_FORMATS, **BINARY_FORMATS}
SUFFIXES = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".xlsx": "excel",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".db": "sqlite",
}

# Keys of a source that only some formats have.
OPTIONS = ("records", "delimiter", "sheet", "table", "query")


def format_of(path: Path, source: Source, file: str) -> str:
    """The name of a file's format, empty where its suffix is none; looks into zip archives.

    Raises InvalidInputError for an archive without the one file to read, OSError as `open` does.
    """
    if source.format is not None:
        return source.format
    return SUFFIXES.get(PurePath(inner_name(path, file, source.member)).suffix.lower(), "")


def plain_format(path: Path, source: Source) -> str:
    """The name of a file's format, empty for one that is packed: its bytes are not those of the format."""
    return "" if compression_of(path) else source.format or SUFFIXES.get(path.suffix.lower(), "")


def format_problem(path: Path, source: Source, name: str) -> str:
    """What in a source does not fit a file of this format; empty for nothing."""
    suffix = PurePath(path.stem).suffix if compression_of(path) not in ("", "zip") else path.suffix
    if not name:
        known = ", ".join(SUFFIXES)
        return f"found the suffix {shown(suffix)}, expected one of {known}. Set `format` on this source."
    format_ = FORMATS[name]
    for option in OPTIONS:
        if getattr(source, option) is not None and option not in format_.OPTIONS:
            return f"found `{option}` for a file of format {name}, which has none. Remove it."
    if name in BINARY_FORMATS and source.encoding != Source().encoding:
        return f"found `encoding` for a file of format {name}, which has none. Remove it."
    if source.member is not None and compression_of(path) != "zip":
        return "found `member` for a file that is no zip archive. Remove it."
    if name in BINARY_FORMATS and compression_of(path):
        return f"found a packed file of format {name}, expected it as it is. Unpack it."
    return ""
