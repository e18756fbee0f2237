"""Measures preferences and rewards on held-out questions, with this project's example recipes and commands.

For each seed half of the questions is held out from training (`split.validation` of 0.5), and asked greedily:
the base before, the tuned model after. `wanted` is the share of the preferred answers word for word, or the
mean reward; `intact` the share that is word for word one of a question's two answers.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECIPES = Path(__file__).parent.parent / "recipes"
# How far the share of intact answers may fall, of one.
ALLOWED_LOSS = 0.1

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A recipe with its base and data; the fields of a question, its wanted answer, and its other one."""

    recipe: str
    base: str
    data: str
    question: str
    wanted: str
    other: str


CASES = (
    Case(
        recipe="tone_preference.yaml",
        base="tone_base.yaml",
        data="data/tone_pairs.jsonl",
        question="prompt",
        wanted="chosen",
        other="rejected",
    ),
    Case(
        recipe="graded_arithmetic.yaml",
        base="arithmetic_base.yaml",
        data="data/sums.jsonl",
        question="question",
        wanted="answer",
        other="wordy",
    ),
)


def main() -> None:
    """Print a row for each recipe and seed; exit with 1 where wanted answers do not rise, or others break."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{'recipe':<26}{'seed':>5}{'held out':>10}{'wanted':>16}{'intact':>16}")
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        shutil.copytree(RECIPES, project, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.lock.yaml"))
        (project / "finetune.toml").touch()
        try:
            hold = [measure(project, case, seed) for case in CASES for seed in range(1, arguments.seeds + 1)]
        finally:
            finetune(project, "serve", "--stop")
    sys.exit(0 if all(hold) else 1)


def measure(project: Path, case: Case, seed: int) -> bool:
    """Train with a seed, print what became of the held-out questions, and say whether that is as asked."""
    sets = ("split.validation=0.5", f"split.seed={seed}", f"training.seed={seed}")
    chosen = [case.recipe, *(word for value in sets for word in ("--set", value))]
    finetune(project, "run", *chosen, "--yes")
    finetune(project, "build", *chosen, "--out", "built")
    asked = set(map(question_of, read_lines(project / "built" / "validation.jsonl")))
    held_out = [record for record in read_lines(project / case.data) if record[case.question] in asked]
    path = project / "held-out.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in held_out), encoding="utf-8")
    shares = []
    for recipe in (case.base, case.recipe):
        model = json.loads(finetune(project, "status", recipe, "--json"))["job"]["fine_tuned_model"]
        said = finetune(project, "predict", path.name, case.recipe, "--model", model).splitlines()
        shares.append(shares_of([json.loads(line)["answer"] for line in said], held_out, case))
    (wanted, intact), (wanted_now, intact_now) = shares
    parts = (f"{wanted:.2f} > {wanted_now:.2f}", f"{intact:.2f} > {intact_now:.2f}")
    print(f"{case.recipe:<26}{seed:>5}{len(held_out):>10}{parts[0]:>16}{parts[1]:>16}", flush=True)
    return wanted_now > wanted and intact_now >= intact - ALLOWED_LOSS


def shares_of(answers: Sequence[str], records: Sequence[Record], case: Case) -> tuple[float, float]:
    """The shares of wanted and of intact answers, of one."""
    pairs = list(zip(answers, records, strict=True))
    wanted = sum(answer == record[case.wanted] for answer, record in pairs)
    intact = sum(answer in (record[case.wanted], record[case.other]) for answer, record in pairs)
    return wanted / len(pairs), intact / len(pairs)


def question_of(line: Record) -> str:
    """The last message that a line of a validation file asks with."""
    messages: list[dict[str, str]] = (line.get("input") or line)["messages"]
    return next(item["content"] for item in reversed(messages) if item["role"] == "user")


def read_lines(path: Path) -> list[Record]:
    """The objects of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def finetune(project: Path, *arguments: str) -> str:
    """What a command prints; it has to come to its end."""
    command = [sys.executable, "-m", "runner", *arguments]
    environment = {**os.environ, "CI": ""}
    ended = subprocess.run(command, cwd=project, capture_output=True, text=True, env=environment)
    if ended.returncode:
        sys.exit(f"finetune {' '.join(arguments)} failed:\n{ended.stderr}")
    return ended.stdout


if __name__ == "__main__":
    main()
