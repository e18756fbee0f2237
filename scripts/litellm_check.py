"""Runs a recipe through a LiteLLM proxy in front of the local service, and looks that it is done once.

    python -m venv /tmp/litellm && /tmp/litellm/bin/pip install 'litellm[proxy]==1.109.1'
    python -m scripts.litellm_check /tmp/litellm/bin/python

The proxy runs in an environment of its own, which is given by its Python; its pass-through route is used,
because its own fine-tuning routes need an enterprise licence. A proxy of ours between LiteLLM and the service
sees what arrives there: it lets the service act on the first creation of a job, and kills the runner before
the answer comes. The second run has to find that job, whose metadata LiteLLM drops.
"""

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from scripts.service_proxy import Answer, Forward, Request, proxy, running_service

KEY = "sk-litellm-check"
MODEL_LIST = f"model_list: []\ngeneral_settings:\n  master_key: {KEY}\n"
START_S = 180.0
FILES, JOBS = "/v1/files", "/v1/fine_tuning/jobs"
RECIPE = """\
version: 1
name: litellm-check
sources:
  - path: faq.jsonl
key: id
fields:
  question: question
  answer: answer
template:
  messages:
    - role: user
      content: "{{ question }}"
    - role: assistant
      content: "{{ answer }}"
training:
  provider: litellm
  model: tiny-1
  hyperparameters:
    n_epochs: 2
    batch_size: 4
  seed: 7
"""


@dataclass
class Watcher:
    """Counts what reaches the service, and kills a process between the first new job and its answer."""

    victim: "subprocess.Popen[str] | None" = None
    requests: Counter[str] = field(default_factory=Counter)
    jobs: list[dict[str, object]] = field(default_factory=list)
    had_key: bool = False

    def handle(self, request: Request, forward: Forward) -> Answer:
        """Pass a request on."""
        name = f"{request.method} {request.path}"
        self.requests[name] += 1
        answer = forward(request)
        if name == f"POST {JOBS}":
            self.jobs.append(json.loads(answer.body))
            self.had_key = "idempotency-key" in request.headers
            if self.victim is not None:
                self.victim.send_signal(signal.SIGKILL)
                self.victim.wait()
                self.victim = None
        return answer


def main() -> int:
    """Run everything; 1 where a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("python", type=Path, help="the Python of an environment that has litellm[proxy]")
    python = parser.parse_args().python.absolute()
    watcher = Watcher()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        running_service(Path(folder) / "service" / ".finetune") as record,
        proxy(record, watcher.handle, any_key=True) as upstream,
        litellm(python, Path(folder), upstream) as url,
    ):
        print(f"finetune → {url}/openai_passthrough → watcher → local service")
        problems = check(Path(folder), f"{url}/openai_passthrough", watcher)
    for problem in problems:
        print(f"FAILED: {problem}")
    print("once, end to end" if not problems else f"{len(problems)} promises broken")
    return 1 if problems else 0


def check(folder: Path, url: str, watcher: Watcher) -> list[str]:
    """Run the recipe three times, the first one killed; what went wrong."""
    project = write_project(folder / "project")
    write_entry(folder / "config", url)
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), "LITELLM_API_KEY": KEY}
    endings = []
    for number in range(3):
        command = ["run", "faq.yaml", "--yes", "--allow-unknown-price"]
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", *command],
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        watcher.victim = process if number == 0 else None
        output, _ = process.communicate()
        endings.append(process.returncode)
        print(f"\n$ finetune {' '.join(command)}  # exit {process.returncode}")
        print(output.strip() or "(killed between the job and its answer)")
    lock = project / "faq.lock.yaml"
    locked = re.findall(r"ftjob-\w+", lock.read_text()) if lock.exists() else []
    created = {job["id"] for job in watcher.jobs}
    print(f"\nreached the service: {watcher.requests[f'POST {FILES}']} upload, {len(watcher.jobs)} new job")
    print(f"the job's metadata there: {json.dumps(watcher.jobs[0].get('metadata')) if watcher.jobs else '-'}")
    print(f"the Idempotency-Key header came through: {'yes' if watcher.had_key else 'no'}")
    expected = {
        "the runs end with -9, 0 and 0": endings == [-9, 0, 0],
        "one upload": watcher.requests[f"POST {FILES}"] == 1,
        "one job": len(watcher.jobs) == 1,
        "the locked job is the one that was made": set(locked) == created,
    }
    return [f"expected {what}" for what, holds in expected.items() if not holds]


@contextmanager
def litellm(python: Path, folder: Path, upstream: str) -> Iterator[str]:
    """Run the proxy until it answers; gives its address."""
    config = folder / "litellm.yaml"
    config.write_text(MODEL_LIST)
    port = free_port()
    command = [str(python), "-c", "import litellm; litellm.run_server()"]
    environment = {
        **os.environ,
        "OPENAI_API_BASE": f"{upstream}/v1",
        "OPENAI_API_KEY": "the watcher has the key",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    arguments = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "litellm.log").open("w") as log:
        process = subprocess.Popen([*command, *arguments], env=environment, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/health/liveliness", process, folder / "litellm.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"litellm did not start:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit("litellm did not answer in time")


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_project(folder: Path) -> Path:
    """A recipe with Korean and English records, in a project of its own."""
    folder.mkdir()
    (folder / "finetune.toml").touch()
    (folder / "faq.yaml").write_text(RECIPE)
    rows = [
        {"id": number, "question": f"{number}번 창구는 어디인가요?", "answer": f"{number}층에 있습니다."}
        for number in range(12)
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "faq.jsonl").write_text(text, encoding="utf-8")
    return folder


def write_entry(config: Path, url: str) -> None:
    """The shipped entry of LiteLLM, with the address of this proxy."""
    shipped = (resources.files("runner.providers.hosts") / "litellm.toml").read_text()
    entry = config / "finetune" / "hosts" / "litellm.toml"
    entry.parent.mkdir(parents=True)
    entry.write_text(re.sub(r'(?m)^base_url = ".*"$', f'base_url = "{url}"', shipped))


if __name__ == "__main__":
    sys.exit(main())
