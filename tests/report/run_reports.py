"""Reports to show, of any size, in which every text is the caller's."""

from collections.abc import Sequence

from runner.dataset.value import DatasetFile, Finding, InputFile
from runner.evaluation.assemble import comparisons_of
from runner.evaluation.comparison import Slice
from runner.evaluation.statistics import Interval, mean_interval
from runner.evaluation.value import Evaluation, GateResult, Questions, Result, Row
from runner.examples.read import Message
from runner.execution.curves import Point
from runner.issues import Place, Severity
from runner.lock.evaluation import LockedEvaluation
from runner.lock.lockfile import LockedFile, LockedJob, LockedRun
from runner.price import Price
from runner.providers.base import Checkpoint, Job
from runner.report.profile import FileProfile, Sample
from runner.report.run_report import RunReport
from runner.review.value import Change, Review, State
from runner.tokens.statistics import token_statistics

NAMES = ("tuned", "base_model", "retrieval")
MODEL = "ft:tiny-1:local:faq:1"


def run_report(n: int = 40, texts: Sequence[str] = ("상호 변경은 어떻게 하나요?",)) -> RunReport:
    """A report of `n` examples and questions; `texts` stand wherever data can."""
    text = [texts[number % len(texts)] for number in range(max(n, len(texts)))]
    return RunReport(
        name=text[0][:60],
        description=text[-1],
        profile="default",
        file="recipes/faq.yaml",
        recipe_text="version: 1\nname: faq\n" + "\n".join(f"# {item}" for item in texts),
        run=_run(texts),
        job=_job(),
        curves=_curves(),
        checkpoints=tuple(
            Checkpoint(
                id=f"c-{step}", step=step, model=f"{MODEL}:{step}", metrics={"full_valid_loss": 3 / step}
            )
            for step in (40, 80, 120)
        ),
        training=_profile(n, text),
        validation=_profile(max(1, n // 10), text),
        findings=(
            Finding(
                code="FT103", severity=Severity.WARNING, message=text[-1], places=(Place(file="a", row=1),)
            ),
        ),
        sources=(InputFile(name=text[0], sha256="a" * 64, size_bytes=123),),
        price=Price(usd=1.5, arithmetic="12,000 tokens × 3 epochs"),
        evaluation=evaluation(n, text),
        changes=Review(
            name="faq",
            profile="default",
            before=State(label="ftjob-0"),
            after=State(label="ftjob-1"),
            changes=(Change(path="training.seed", kind="changed", before=1, after=text[0]),),
        ),
        versions={"finetune-runner": "0"},
        commit="c" * 40,
        missing=(text[-1],),
    )


def evaluation(n: int, texts: Sequence[str]) -> Evaluation:
    """The tuned model against two others."""
    rows = tuple(_row(number, texts[number % len(texts)]) for number in range(n))
    scores = {name: mean_interval([row.scores[name]["rouge_l"] for row in rows[:60]]) for name in NAMES}
    return Evaluation(
        recipe="faq",
        profile="default",
        subject="tuned",
        questions=Questions(on="validation", sha256="q" * 64, n=n),
        graders=("rouge_l",),
        graders_sha256="g" * 64,
        results=tuple(_result(name, scores[name]) for name in NAMES),
        comparisons=comparisons_of("tuned", rows[:60], NAMES[1:], ("rouge_l",)),
        rows=rows,
        slices=tuple(
            Slice(field="kind", value=texts[0], candidate=name, grader="rouge_l", score=score)
            for name, score in scores.items()
            if score is not None
        ),
        notes=(texts[-1],),
        gate=GateResult(passed=False, metric="rouge_l", sentence=f"gate failed: {texts[0]}"),
        settings={"rouge_l": {"type": "text_similarity", "metric": "rouge_l", "tokenizer": texts[0]}},
    )


def locked_only(report: RunReport) -> LockedEvaluation:
    """What the lockfile keeps of a report's evaluation."""
    if report.evaluation is None:
        raise AssertionError("a report without an evaluation")
    return report.evaluation.locked()


def _result(name: str, score: Interval | None) -> Result:
    return Result(
        name=name,
        provider="local",
        model=MODEL,
        scores={"rouge_l": score} if score else {},
        failures=1,
        failure="timed out",
        cut=2,
        p50_s=0.5,
        p95_s=1.25,
        prompt_tokens=1000,
        completion_tokens=200,
        usd=None if name == "base_model" else 0.0,
    )


def _row(number: int, text: str) -> Row:
    score = (number * 37 % 100) / 100
    return Row(
        identity=f"key-{number}",
        place=Place(file="faq.jsonl", row=number + 1),
        prompt=(Message("system", text), Message("user", f"{number}: {text}")),
        reference=text,
        answers={name: f"{name} {text}" for name in NAMES},
        scores={
            "tuned": {"rouge_l": score},
            "base_model": {"rouge_l": 0.1},
            "retrieval": {"rouge_l": 1 - score},
        },
        failures={},
    )


def _profile(n: int, texts: Sequence[str]) -> FileProfile:
    lengths = [20 + number * 7 % 300 for number in range(n)]
    return FileProfile(
        file=_file(n),
        characters=token_statistics([3 * length for length in lengths]),
        tokens=token_statistics(lengths, limit=310),
        tokens_exact=True,
        roles={"user": n, "assistant": n, texts[0]: 1},
        scripts={"Hangul": n},
        n_repeated=1,
        samples=tuple(
            Sample(line=line + 1, messages=(Message(text, text), Message("assistant", text)))
            for line, text in enumerate(texts[:100])
        ),
    )


def _file(n: int) -> DatasetFile:
    return DatasetFile(sha256="d" * 64, size_bytes=n * 300, n_examples=n, n_tokens=n * 100, tokens_exact=True)


def _run(texts: Sequence[str]) -> LockedRun:
    job = LockedJob(
        id="ftjob-1",
        provider="local",
        model="tiny-1",
        method="supervised",
        digest="e" * 64,
        attempt=1,
        seed=42,
        status="succeeded",
        requested={"n_epochs": 3, "batch_size": "auto"},
        resolved={"n_epochs": 3, "batch_size": texts[0]},
        fine_tuned_model=MODEL,
        trained_tokens=12_000,
        weights={"torch-2.13.0+cpu-linux-x86_64-avx512": "d" * 64},
    )
    return LockedRun(
        recipe_sha256="f" * 64,
        sections={},
        sources=(),
        templates=(),
        n_records=40,
        index="",
        training_file=LockedFile(file=_file(40), file_id="file-1"),
        job=job,
    )


def _job() -> Job:
    return Job(
        id="ftjob-1",
        status="succeeded",
        model="tiny-1",
        training_file="file-1",
        created_at=1_764_000_000,
        finished_at=1_764_000_754,
        fine_tuned_model=MODEL,
        trained_tokens=12_000,
    )


def _curves() -> dict[str, tuple[Point, ...]]:
    steps = range(1, 121)
    return {
        "train_loss": tuple(Point(step=step, at=step, value=3 / step + step % 7 / 40) for step in steps),
        "train_mean_token_accuracy": tuple(Point(step=step, at=step, value=1 - 1 / step) for step in steps),
        "valid_loss": tuple(
            Point(step=step, at=step, value=3 / step + 0.4) for step in steps if not step % 10
        ),
    }
