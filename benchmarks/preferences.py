"""Measures preferences and rewards on held-out questions, by recipes and commands as a user would.

A supervised base learns two answers to every question, a polite and a curt one. DPO then prefers the polite
ones, and reinforcement rewards them, on half of the questions. The other half, which differs by seed,
is asked greedily before and after. An answer is intact if it is, word for word, one of its question's two.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner.local.training.trainer_config import DIVERGENCE_WEIGHT, SUPERVISED_WEIGHT

# How far the share of intact answers may fall, of one.
ALLOWED_LOSS = 0.1
KOREAN = ("환불", "배송", "교환", "쿠폰", "탈퇴", "영수증", "포장", "주소", "카드", "구독", "반품", "예약")
ENGLISH = ("refunds", "shipping", "returns", "coupons", "leaving", "receipts", "wrapping", "orders")

Record = dict[str, str]

TRAINING = """\
training:
  provider: local
  model: {model}
  method: {method}
  hyperparameters: {{{hyperparameters}}}
  seed: {seed}
"""
BASE = """\
version: 1
name: base-{seed}
sources: [{path: all.jsonl}]
key: id
fields: {question: question, polite: polite, curt: curt}
templates:
  - name: polite
    messages:
      - {role: user, content: "{{ question }}"}
      - {role: assistant, content: "{{ polite }}"}
  - name: curt
    messages:
      - {role: user, content: "{{ question }}"}
      - {role: assistant, content: "{{ curt }}"}
checks:
  levels: {FT108: off}
"""
DPO = """\
version: 1
name: dpo-{seed}
sources: [{path: seen-{seed}.jsonl}]
key: id
fields: {question: question, polite: polite, curt: curt}
template:
  input: [{role: user, content: "{{ question }}"}]
  preferred_output: [{role: assistant, content: "{{ polite }}"}]
  non_preferred_output: [{role: assistant, content: "{{ curt }}"}]
"""
REINFORCEMENT = """\
version: 1
name: reinforcement-{seed}
sources: [{path: seen-{seed}.jsonl}]
key: id
fields: {question: question, polite: polite}
template:
  messages: [{role: user, content: "{{ question }}"}]
  item: [polite]
"""
GRADER = """\
  grader:
    type: string_check
    operation: eq
    input: "{{ sample.output_text }}"
    reference: "{{ item.polite }}"
"""


def main() -> None:
    """Print a row for each seed and method; exit with 1 if one of them does not hold what is asked of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--beta", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=4, help="of DPO")
    arguments = parser.parse_args()
    weights = f"supervised term {SUPERVISED_WEIGHT}, KL term {DIVERGENCE_WEIGHT}"
    print(f"DPO with beta {arguments.beta}, {weights}")
    print(f"{'':<22}{'s':>5}{'held out':>10}{'polite':>12}{'intact':>12}{'reward':>16}")
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        write_lines(project / "all.jsonl", make_records())
        hold = [
            measure(project, seed, beta=arguments.beta, n_epochs=arguments.epochs)
            for seed in range(1, arguments.seeds + 1)
        ]
    sys.exit(0 if all(hold) else 1)


def make_records() -> list[Record]:
    """Questions in Korean and English, each with a polite and a curt answer that hold the same number."""
    draw = random.Random(0)
    records = []
    for topic in KOREAN:
        for ending in (" 문의는 어디서 하나요?", " 담당은 몇 번인가요?", "은 어디로 가나요?"):
            desk = draw.randrange(10, 99)
            records.append((f"{topic}{ending}", f"네, {desk}번 창구에서 도와드립니다.", f"{desk}번."))
    for topic in ENGLISH:
        for start in ("Where do I ask about", "Which desk is for", "Who helps with"):
            desk = draw.randrange(10, 99)
            records.append((f"{start} {topic}?", f"Please come to desk {desk}.", f"Desk {desk}."))
    return [
        {"id": f"q{number}", "question": question, "polite": polite, "curt": curt}
        for number, (question, polite, curt) in enumerate(records)
    ]


def measure(project: Path, seed: int, *, beta: float, n_epochs: int) -> bool:
    """Train the base and both methods with a seed, print their rows, and say whether both hold."""
    records = make_records()
    random.Random(seed).shuffle(records)
    held_out = records[len(records) // 2 :]
    write_lines(project / f"seen-{seed}.jsonl", records[: len(records) // 2])
    write_lines(project / f"held-out-{seed}.jsonl", held_out)
    base = BASE + TRAINING.format(
        model="tiny-1", method="supervised", hyperparameters="n_epochs: 30, batch_size: 8", seed=seed
    )
    before, _ = train_and_ask(project, "base", base, seed)
    hold = []
    for method, recipe, hyperparameters in (
        ("dpo", DPO, f"n_epochs: {n_epochs}, batch_size: 4, beta: {beta}"),
        ("reinforcement", REINFORCEMENT, "n_epochs: 3, batch_size: 4"),
    ):
        training = TRAINING.format(
            model=f"{{recipe: base-{seed}.yaml}}", method=method, hyperparameters=hyperparameters, seed=seed
        )
        after, seconds = train_and_ask(project, method, recipe + training, seed)
        was, now = shares(before, held_out), shares(after, held_out)
        print_row(f"{method}, seed {seed}", seconds, len(held_out), was, now)
        hold.append(holds(method, was, now))
    return all(hold)


def train_and_ask(project: Path, method: str, recipe: str, seed: int) -> tuple[list[str], float]:
    """Answers of a recipe's model to the held-out questions, in their order, and the seconds of its run."""
    name = f"{method}-{seed}.yaml"
    text = recipe.replace("{seed}", str(seed))
    (project / name).write_text(text + (GRADER if method == "reinforcement" else ""), encoding="utf-8")
    start = time.perf_counter()
    finetune(project, "run", name, "--yes")
    seconds = time.perf_counter() - start
    lines = finetune(project, "predict", f"held-out-{seed}.jsonl", name).splitlines()
    return [json.loads(line)["answer"] for line in lines], seconds


def shares(answers: Sequence[str], records: Sequence[Record]) -> dict[str, float]:
    """The share of polite, of intact, and of rewarded answers, of one."""
    pairs = list(zip(answers, records, strict=True))
    counts = {
        "polite": sum(is_polite(answer) for answer, _ in pairs),
        "intact": sum(answer in (record["polite"], record["curt"]) for answer, record in pairs),
        "reward": sum(answer == record["polite"] for answer, record in pairs),
    }
    return {name: count / len(pairs) for name, count in counts.items()}


def is_polite(answer: str) -> bool:
    """Whether an answer has the style that DPO prefers, whatever number it holds."""
    return answer.endswith("도와드립니다.") or answer.startswith("Please ")


def holds(method: str, was: dict[str, float], now: dict[str, float]) -> bool:
    """Whether a method raised what it is for, and DPO at a small loss only."""
    if method == "reinforcement":
        return now["reward"] > was["reward"]
    return now["polite"] > was["polite"] and now["intact"] >= was["intact"] - ALLOWED_LOSS


def print_row(
    name: str, seconds: float, n_questions: int, was: dict[str, float], now: dict[str, float]
) -> None:
    """A row of the table; shares before and after."""
    polite, intact = (f"{was[key]:.0%} > {now[key]:.0%}" for key in ("polite", "intact"))
    reward = f"{was['reward']:.2f} > {now['reward']:.2f}"
    print(f"{name:<22}{seconds:>5.0f}{n_questions:>10}{polite:>12}{intact:>12}{reward:>16}", flush=True)


def write_lines(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Write records as JSONL."""
    lines = (json.dumps(record, ensure_ascii=False) for record in records)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def finetune(project: Path, *arguments: str) -> str:
    """What a command prints; it has to come to its end."""
    command = [sys.executable, "-m", "runner", *arguments]
    ended = subprocess.run(command, cwd=project, capture_output=True, text=True, env={**os.environ, "CI": ""})
    if ended.returncode:
        sys.exit(f"finetune {' '.join(arguments)} failed:\n{ended.stderr}")
    return ended.stdout


if __name__ == "__main__":
    main()
