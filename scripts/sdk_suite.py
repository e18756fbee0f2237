"""Runs openai-python's own tests of our routes against the local service.

    python scripts/sdk_suite.py openai-3.54.0.tar.gz

The source archive comes from `pip download --no-binary :all: --no-deps openai==...`; neither it nor its tests
are part of this repository. The tests talk to `scripts.sdk_adapter`, which swaps their made-up IDs for real
ones. pytest-asyncio has to be installed; with httpx-aiohttp the tests of that client run too.
"""

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import openai

from scripts.sdk_adapter import Adapter
from scripts.service_proxy import proxy, running_service

TESTS = (
    "test_files.py",
    "test_uploads.py",
    "uploads",
    "fine_tuning",
    "test_models.py",
    "test_batches.py",
    "chat",
)
# Each test that deletes a model needs one of its own; they come three times for every way to call.
N_MODELS = 15
OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED) (\S+)(?: - (.*))?$", re.MULTILINE)
# The words of a refusal inside the long line in which the SDK repeats it.
REASON = re.compile(r"'message': (['\"])(.*?)\1, 'type'")


def main() -> int:
    """Run the tests and say how many pass, and why the others fail."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("archive", type=Path)
    archive = parser.parse_args().archive
    if find_spec("pytest_asyncio") is None:
        raise SystemExit("The tests of the SDK need pytest-asyncio: pip install pytest-asyncio")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        with tarfile.open(archive) as source:
            source.extractall(folder, filter="data")
        [root] = [path for path in Path(folder).iterdir() if (path / "tests").is_dir()]
        with (
            running_service(Path(folder) / "project" / ".finetune") as record,
            openai.OpenAI(base_url=record.base_url, api_key=record.token) as client,
            proxy(record, Adapter(client, N_MODELS), any_key=True) as url,
        ):
            output = run_tests(root, url)
    return report(output)


def run_tests(root: Path, url: str) -> str:
    """Run the chosen tests of a source tree against a URL; what pytest says."""
    chosen = [f"tests/api_resources/{name}" for name in TESTS]
    arguments = ["-o", "addopts=", "-p", "no:cacheprovider", "-q", "--tb=no", "-rA", *chosen]
    if find_spec("httpx_aiohttp") is None:
        arguments += ["-k", "not aiohttp"]
    environment = {**os.environ, "TEST_API_BASE_URL": url, "COLUMNS": "1000"}
    command = [sys.executable, "-m", "pytest", *arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr


def report(output: str) -> int:
    """Count the outcomes, and group the failures by test and reason."""
    outcomes: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    for outcome, name, said in OUTCOME.findall(output):
        outcomes[outcome] += 1
        if outcome in ("FAILED", "ERROR"):
            found = REASON.search(said)
            test = re.sub(r"\[.*|_overload_\d", "", name.removeprefix("tests/api_resources/"))
            kind = re.sub(r"::Test(Async)?", "::", test)
            reasons[kind, found[2] if found else said[:200]] += 1
    for (test, reason), count in sorted(reasons.items()):
        print(f"{count} x {test}: {reason}")
    if not outcomes:
        print(output[-3000:])
        return 1
    print(", ".join(f"{count} {outcome.lower()}" for outcome, count in sorted(outcomes.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
