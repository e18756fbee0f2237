"""Measures builds of many records: peak memory of all processes together, seconds, and bytes written."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from build import build
from records import write_project


def main() -> None:
    """Build each number of records once from nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="*", default=[1_000_000, 5_000_000])
    parser.add_argument("--format", default="jsonl")
    parser.add_argument("--folder", type=Path, help="where there is room: 2.5 times the size of the source")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, crawl records, {arguments.format}")
    print(f"{'records':>9}{'MB':>8}{'s':>8}{'CPU s':>8}{'records/s':>11}{'peak MB':>9}")
    for n_records in arguments.records:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
            project = Path(scratch) / "memory"
            recipe = write_project(project, "crawl", arguments.format, n_records)
            size_mb = (project / f"data.{arguments.format}").stat().st_size / 1e6
            done = build("ours", recipe, sys.executable)
            shutil.rmtree(project)
        print(
            f"{n_records:>9}{size_mb:>8.0f}{done.wall_s:>8.1f}{done.cpu_s:>8.1f}"
            f"{n_records / done.wall_s:>11.0f}{done.peak_mb:>9.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
