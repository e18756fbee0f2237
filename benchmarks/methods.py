"""Measures preference tuning and reinforcement on tiny-1: style on held-out questions against kept facts.

A base model learns every fact in two styles. Tuning then asks for one of them on half of the questions; the
other half is held out and answered with sampling. `style` is the share of answers in the style that was asked
for, `facts` the share that still hold the right fact, `reward` half of each.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.local.training.environment import TINY_1_THREADS, prepare_environment
from runner.local.training.job import Hyperparameters, TrainingJob, TrainingResult

THINGS = (
    *(
        "환불",
        "배송",
        "교환",
        "적립금",
        "쿠폰",
        "탈퇴",
        "비밀번호",
        "영수증",
        "계산서",
        "포장",
        "주소",
        "카드",
    ),
    *("입금", "구독", "재입고", "문의", "사이즈", "반품", "매장", "리뷰", "등급", "포인트", "예약", "취소"),
    *("공동구매", "품절", "조회", "고객센터", "선물", "할인"),
)
ASKED = ("은 어떻게 하나요?", "은 언제 되나요?", "은 어디서 하나요?", "비용은 얼마인가요?")
DAYS = ("월요일", "화요일", "수요일", "목요일", "금요일")
SAMPLES = 3

Fact = tuple[str, str]


class Silent:
    """A reporter that keeps nothing."""

    def __getattr__(self, name: str) -> Callable[..., bool]:
        """Take any news; never cancel."""
        return lambda *_: False


def main() -> None:
    """Print a row for the base and for each method and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    prepare_environment(allow_network=False, threads=TINY_1_THREADS)
    facts = _facts()
    seen, held_out = facts[: len(facts) // 2], facts[len(facts) // 2 :]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        both = [_chat(fact, _style(fact)) for fact in facts for _style in (_formal, _casual)]
        base = _train(folder / "base", both, n_epochs=20, batch_size=16).model_dir
        print(f"{'':<22}{'seconds':>8}{'style':>8}{'facts':>8}{'reward':>8}")
        _print("base", 0.0, _measure(base, held_out))
        for seed in range(1, arguments.seeds + 1):
            for method, rows in (("dpo", _preferences(seen)), ("reinforcement", _tasks(seen))):
                start = time.perf_counter()
                result = _train(
                    folder / f"{method}-{seed}",
                    rows,
                    method=method,
                    base_model_path=base,
                    seed=seed,
                    n_epochs=6 if method == "dpo" else 2,
                    batch_size=8,
                    grade=_grade if method == "reinforcement" else None,
                )
                seconds = time.perf_counter() - start
                _print(f"{method}, seed {seed}", seconds, _measure(result.model_dir, held_out))


def _facts() -> list[Fact]:
    draw = random.Random(0)
    facts = [
        (f"{thing}{asked}", f"{thing} 안내 {draw.randrange(10, 99)}번, {draw.choice(DAYS)} 접수")
        for thing in THINGS
        for asked in ASKED
    ]
    draw.shuffle(facts)
    return facts


def _formal(fact: Fact) -> str:
    return f"{fact[1]}입니다."


def _casual(fact: Fact) -> str:
    return f"{fact[1]}이야!"


def _chat(fact: Fact, answer: str) -> dict[str, Any]:
    return {"messages": [_turn("user", fact[0]), _turn("assistant", answer)]}


def _preferences(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    return [
        {
            "input": {"messages": [_turn("user", fact[0])]},
            "preferred_output": [_turn("assistant", _formal(fact))],
            "non_preferred_output": [_turn("assistant", _casual(fact))],
        }
        for fact in facts
    ]


def _tasks(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    return [{"messages": [_turn("user", question)], "fact": fact} for question, fact in facts]


def _turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _grade(answer: str, item: Mapping[str, Any]) -> float:
    return 0.5 * _is_formal(answer) + 0.5 * (item["fact"] in answer)


def _is_formal(answer: str) -> bool:
    return answer.rstrip().endswith("입니다.")


def _train(folder: Path, rows: Sequence[dict[str, Any]], **options: Any) -> TrainingResult:
    from runner.local.training.train import train

    folder.mkdir()
    training_file = folder / "training.jsonl"
    training_file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    hyperparameters = Hyperparameters(n_epochs=options.pop("n_epochs"), batch_size=options.pop("batch_size"))
    values = {"base_model": "tiny-1", "seed": 1, **options}
    job = TrainingJob(
        training_file=training_file, output_dir=folder, hyperparameters=hyperparameters, **values
    )
    return train(job, Silent())


def _measure(model_dir: Path, facts: Sequence[Fact]) -> tuple[float, float]:
    from runner.local.training.conversation import render_prompt
    from runner.local.training.generation import answer_text
    from runner.local.training.models import load_model
    from runner.local.training.sampling import Sampling
    from runner.local.training.training_file import Message

    loaded = load_model("tiny-1", model_dir, allow_network=False)
    loaded.model.eval()
    answers = []
    for number, (question, fact) in enumerate(facts):
        prompt = render_prompt(loaded.tokenizer, (Message(role="user", content=question),))
        for sample in range(SAMPLES):
            sampling = Sampling(max_tokens=80, temperature=1.0, seed=1000 * number + sample)
            answers.append((fact, answer_text(loaded, prompt, sampling)))
    style = sum(_is_formal(answer) for _, answer in answers) / len(answers)
    return style, sum(fact in answer for fact, answer in answers) / len(answers)


def _print(name: str, seconds: float, measured: tuple[float, float]) -> None:
    style, facts = measured
    print(f"{name:<22}{seconds:>8.1f}{style:>8.1%}{facts:>8.1%}{(style + facts) / 2:>8.3f}", flush=True)


if __name__ == "__main__":
    main()
