"""Times `finetune diff` on a source of many records, three of them changed, and checks what it lists."""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECIPE = """\
version: 1
name: many
sources:
  - path: many.jsonl
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
split:
  validation: 0.1
training:
  model: tiny-1
"""
N_CHANGED = 3
ANSWERS = (
    "연동 개요를 먼저 읽고 인증 토큰을 발급받아 요청 머리글에 넣어 주세요. 자세한 내용은 {}쪽에 있습니다.",
    "Hold the left button for four seconds until the light turns blue, then let go; see page {}.",
)


def main() -> int:
    """Print the seconds of each repetition; exit with 1 where the changed records are not the ones listed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--built", action="store_true", help="build the dataset before the change, as `plan` does"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="finetune-bench-") as name:
        folder = Path(name)
        changed = make_repository(folder, arguments.records, is_built=arguments.built)
        walls, cpus = [], []
        for _ in range(arguments.repeat):
            wall_s, cpu_s, review = run_diff(folder)
            walls.append(wall_s)
            cpus.append(cpu_s)
            print(f"{wall_s:6.2f} s wall, {cpu_s:6.2f} s of processor time")
    examples, after = review["examples"], review["after"]["training_file"]
    listed = [item["after"]["key"] for item in examples["changed"]["first"]]
    print(
        f"median {statistics.median(walls):.2f} s wall, {statistics.median(cpus):.2f} s of processor time; "
        f"{examples['changed']['count']} changed, {after['n_tokens']:,} training tokens, "
        f"{'exact' if after['tokens_exact'] else 'estimated'}"
    )
    return (
        0 if listed == changed and not examples["added"]["count"] and not examples["removed"]["count"] else 1
    )


def make_repository(folder: Path, n_records: int, *, is_built: bool) -> list[str]:
    """Commit a recipe and its records, then change three of them; tells their keys."""
    lines = [
        json.dumps(
            {
                "id": number,
                "question": f"{number}번 항목은 무엇입니까?",
                "answer": ANSWERS[number % 2].format(number),
            },
            ensure_ascii=False,
        )
        for number in range(n_records)
    ]
    data = folder / "many.jsonl"
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "many.yaml").write_text(RECIPE, encoding="utf-8")
    (folder / ".gitignore").write_text(".finetune\n", encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(
        folder,
        "-c",
        "user.name=b",
        "-c",
        "user.email=b@example.org",
        "commit",
        "--quiet",
        "--message",
        "start",
    )
    if is_built:
        subprocess.run([*finetune(), "build", "many.yaml"], cwd=folder, check=True, capture_output=True)
    changed = [7, n_records // 2, n_records - 1]
    for number in changed:
        lines[number] = lines[number].replace('"answer": "', '"answer": "새로: ')
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [str(number) for number in changed]


def run_diff(folder: Path) -> tuple[float, float, dict[str, object]]:
    """Wall and processor seconds of one `finetune diff`, and what it found."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [*finetune(), "diff", "many.yaml", "--json", "-n", "10"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True)
    wall_s, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall_s, cpu_s, json.loads(done.stdout)["review"]


def finetune() -> list[str]:
    """The command of this checkout."""
    return [sys.executable, "-c", "from runner.cli.main import main; main()"]


def git(folder: Path, *arguments: str) -> None:
    """Run git in the repository, without this machine's settings."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", "-C", str(folder), *arguments], env=environment, check=True)


if __name__ == "__main__":
    sys.exit(main())
