"""Writes the model card of a tuned model: what it is, how it was made, how well it answers."""

from collections.abc import Iterable

from runner.canonical import canonical_json
from runner.display import neutralise, one_line
from runner.lock.evaluation import LockedCandidate, LockedScore
from runner.lock.lockfile import LockedJob, LockedRun
from runner.providers.hub_models import HubModel, parse_hub_name
from runner.recipe.load import LoadedRecipe
from runner.recipe.yaml_text import yaml_text
from runner.sharing.record import JobRecord

LIBRARIES = {"adapter": "peft", "merged": "transformers", "model": "transformers"}


def model_card(loaded: LoadedRecipe, run: LockedRun, record: JobRecord, kind: str) -> str:
    """A card in the hub's form: YAML for programs, Markdown for people; no word of the training data itself.

    The job's `fine_tuned_model` is the one that the card is of. `kind` is `model`, `adapter` or
    `merged`. https://huggingface.co/docs/hub/model-cards (2026-11)
    """
    job = run.job
    if job is None:
        raise AssertionError("BUG: a card without a job")
    head = yaml_text(_metadata(loaded, run, job, kind), sort_keys=False)
    parts = [
        f"---\n{head}---\n",
        f"# {_text(loaded.recipe.name)}\n",
        f"{_what(job, kind, record)}\n",
        "## How it was made\n",
        _table(("", ""), [(name, f"`{_text(value)}`") for name, value in record.tags.items()]),
        _table(("setting", "value"), [(name, _text(value)) for name, value in record.settings.items()]),
        _losses(record),
        _evaluation(run, job),
        "## Limits\n",
        "It was tuned on the data of one recipe, and is untested beyond what stands above.\n"
        "The licences of the base model and of that data apply.\n",
    ]
    return "\n".join(part for part in parts if part)


def _metadata(loaded: LoadedRecipe, run: LockedRun, job: LockedJob, kind: str) -> dict[str, object]:
    hub = _hub_model(loaded)
    base = {"base_model": hub.name} if hub else {}
    relation = {"base_model_relation": "adapter" if kind == "adapter" else "finetune"} if base else {}
    index = _model_index(loaded, run, job)
    return {
        **base,
        **relation,
        "library_name": LIBRARIES[kind],
        "pipeline_tag": "text-generation",
        "tags": ["finetune-runner", job.method],
        **({"model-index": index} if index else {}),
    }


def _hub_model(loaded: LoadedRecipe) -> HubModel | None:
    """The model of the hub that all training began with; a folder is none, whatever its name looks like."""
    root = loaded.lineage[0]
    is_folder = (root.folder / root.root_model).is_dir()
    return None if is_folder else parse_hub_name(root.root_model)


def _model_index(loaded: LoadedRecipe, run: LockedRun, job: LockedJob) -> list[dict[str, object]]:
    tuned = _evaluated(run, job)
    if tuned is None or run.evaluation is None:
        return []
    dataset = {"type": "recipe", "name": loaded.recipe.name, "revision": run.evaluation.questions[:16]}
    metrics = [
        {"type": grader, "name": grader, "value": score.mean}
        for grader, score in sorted(tuned.scores.items())
    ]
    task = {"type": "text-generation"}
    results = [{"task": task, "dataset": dataset, "metrics": metrics}]
    return [{"name": loaded.recipe.name, "results": results}]


def _what(job: LockedJob, kind: str, record: JobRecord) -> str:
    what = {"adapter": "An adapter for", "merged": "Made from", "model": "Made from"}[kind]
    revision = f" at commit `{job.model_revision}`" if job.model_revision else ""
    step = record.tags.get("checkpoint_step")
    checkpoint = f" This is the checkpoint of step {step}, not the final model." if step else ""
    made = f"{what} `{_text(job.model)}`{revision}, tuned by a recipe of finetune-runner ({job.method})."
    return made + checkpoint


def _losses(record: JobRecord) -> str:
    last = [(name, f"{points[-1].value:.4f}", str(points[-1].step)) for name, points in record.curves.items()]
    return _table(("metric", "last value", "step"), last) if last else ""


def _evaluation(run: LockedRun, job: LockedJob) -> str:
    if _evaluated(run, job) is None or run.evaluation is None:
        return "## Evaluation\n\nNone of this model is locked.\n"
    candidates = sorted(
        run.evaluation.candidates.items(), key=lambda item: item[1].model != job.fine_tuned_model
    )
    rows = [
        (
            _text(name),
            _text(grader),
            f"{score.mean:.3f}",
            f"{score.low:.3f} to {score.high:.3f}",
            str(score.n),
        )
        for name, candidate in candidates
        for grader, score in sorted(candidate.scores.items())
    ]
    head = ("asked", "grader", "mean", "95 % interval", "answers")
    return f"## Evaluation\n\n{_table(head, rows)}"


def _score(score: LockedScore) -> tuple[str, str, str]:
    return f"{score.mean:.3f}", f"{score.low:.3f} to {score.high:.3f}", str(score.n)


def _evaluated(run: LockedRun, job: LockedJob) -> LockedCandidate | None:
    candidates = run.evaluation.candidates.values() if run.evaluation and job.fine_tuned_model else ()
    return next((each for each in candidates if each.model == job.fine_tuned_model), None)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _text(value: object) -> str:
    """A value as text that no Markdown and no HTML comes out of."""
    text = value if isinstance(value, str) else canonical_json(value).decode()
    safe = one_line(neutralise(text), limit=200)
    for mark in ("&", "<", ">"):
        safe = safe.replace(mark, {"&": "&amp;", "<": "&lt;", ">": "&gt;"}[mark])
    return safe.replace("|", "\\|").replace("`", "'").replace("[", "\\[")
