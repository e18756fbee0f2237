"""Times a build after one record changed or was added, against one from nothing; the bytes have to agree.

`finetune gc --days 0` runs between builds, so that not every one leaves its dataset on the disk.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from records import write_project

ROUNDS = 3
SETTLED_S = 2.1


def main() -> None:
    """Build from nothing, again, and after changes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, help="keep the project here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        project = (arguments.folder or Path(scratch)).resolve() / "incremental"
        recipe = write_project(project, "crawl", "jsonl", arguments.records)
        source = project / "data.jsonl"
        size_mb = source.stat().st_size / 1e6
        print(f"{arguments.records} records, {size_mb:.0f} MB, {os.cpu_count()} cores; medians of {ROUNDS}")
        nothing = statistics.median(timed(recipe, from_nothing=True)[0] for _ in range(ROUNDS))
        print(f"from nothing        {nothing:7.2f} s")
        again = statistics.median(timed(recipe)[0] for _ in range(ROUNDS))
        print(f"nothing changed     {again:7.2f} s  {again / nothing:6.1%}")
        for name, change in (("one record changed", changed), ("one record added", added)):
            times = []
            for number in range(ROUNDS):
                finetune(project, "gc", "--days", "0")
                change(source, number)
                # A file that was touched this moment is hashed twice, in case it is touched again.
                time.sleep(SETTLED_S)
                times.append(timed(recipe)[0])
            taken = statistics.median(times)
            print(f"{name:<19} {taken:7.2f} s  {taken / nothing:6.1%}")
        kept = timed(recipe)[1]
        same = kept == timed(recipe, from_nothing=True)[1]
        print("same bytes" if same else "DIFFERENT BYTES")
        sys.exit(not same)


def timed(recipe: Path, *, from_nothing: bool = False) -> tuple[float, str]:
    """How long a build takes, and the hash of its training file."""
    if from_nothing:
        shutil.rmtree(recipe.parent / ".finetune", ignore_errors=True)
    start = time.perf_counter()
    built = finetune(recipe.parent, "build", recipe.name)
    taken = time.perf_counter() - start
    return taken, built["dataset"]["training_file"]["sha256"]


def finetune(project: Path, *words: str) -> Any:
    """What a command says."""
    command = [sys.executable, "-m", "runner", *words, "--json"]
    environment = {**os.environ, "CI": ""}
    done = subprocess.run(command, capture_output=True, check=True, cwd=project, env=environment)
    return json.loads(done.stdout)


def changed(source: Path, number: int) -> None:
    """Change the text of a record in the middle."""
    content = source.read_bytes()
    start = content.index(b"\n", len(content) // 2 + number * 100_000) + 1
    end = content.index(b"\n", start)
    record = json.loads(content[start:end])
    written = encoded({**record, "text": f"{number} {record['text']}"})
    source.write_bytes(content[:start] + written + content[end:])


def added(source: Path, number: int) -> None:
    """Put a record before all others."""
    content = source.read_bytes()
    record = json.loads(content[: content.index(b"\n")])
    written = encoded({**record, "url": f"added-{number}"})
    source.write_bytes(written + b"\n" + content)


def encoded(record: dict[str, Any]) -> bytes:
    """A record as a line without its end."""
    return json.dumps(record, ensure_ascii=False).encode()


if __name__ == "__main__":
    main()
