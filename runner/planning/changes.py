"""What a recipe and its data ask for that the job in the lockfile was not asked for."""

from typing import Any

from runner.canonical import sha256_of
from runner.dataset.value import Dataset
from runner.lock.lockfile import LockedJob, LockedRun
from runner.planning.value import BaseJob
from runner.recipe.model import Recipe, RecipeModel, Training

SECTIONS = ("fields", "key", "sources", "split", "templates", "where")


def section_hashes(recipe: Recipe) -> dict[str, str]:
    """Hash of every part of the recipe that shapes the dataset."""
    value = recipe.as_value()
    return {section: sha256_of(value[section]) for section in SECTIONS}


def training_changes(
    recipe: Recipe, job: LockedJob, model_sha256: str | None, base: BaseJob | None = None
) -> list[str]:
    """What a recipe asks of its job that differs from what was asked before, such as `seed 1 → 2`."""
    training = recipe.training
    earlier = job.base
    locked_model = RecipeModel(recipe=earlier.recipe, profile=earlier.profile) if earlier else job.model
    before: dict[str, Any] = {
        "provider": job.provider,
        "model": str(locked_model),
        "method": job.method,
        **job.requested,
        **job.options,
        "seed": job.seed,
        "suffix": job.suffix,
    }
    after: dict[str, Any] = {
        "provider": training.provider,
        "model": str(training.model),
        "method": training.method,
        **training.hyperparameters.as_dict(),
        **training.options,
        "seed": training.seed,
        "suffix": training.suffix,
    }
    changes = [
        f"{name} {_value(before.get(name))} → {_value(value)}"
        for name, value in {**dict.fromkeys(before), **after}.items()
        if before.get(name) != value
    ]
    if job.grader_sha256 != grader_sha256(training):
        changes.append("grader changed")
    if job.model_sha256 != model_sha256 and job.model == training.model:
        changes.append(f"the files of {training.model} changed")
    if base and earlier and base.digest != earlier.digest and locked_model == training.model:
        changes.append(f"{training.model} changed" + (f" ({base.change})" if base.change else ""))
    return changes


def grader_sha256(training: Training) -> str | None:
    """Hash of the grader of reinforcement; None where there is none."""
    return None if training.grader is None else sha256_of(dict(training.grader))


def _value(value: object) -> str:
    return "none" if value is None else str(value)


def data_changes(
    recipe: Recipe, dataset: Dataset, locked: LockedRun, changed_examples: str | None = None
) -> list[str]:
    """What made the files to be sent other ones than those in the lock, and how many examples it changed."""
    before = [item.file.sha256 for item in (locked.training_file, locked.validation_file) if item]
    if before == [file.sha256 for file in dataset.files]:
        return []
    if not locked.sections:
        return ["the job was trained on other files"]
    now = section_hashes(recipe)
    names = {"templates": "template", "where": "`where`"}
    causes = [
        f"{names.get(name, name)} changed" for name in SECTIONS if locked.sections.get(name) != now[name]
    ]
    old = {item.name: item.sha256 for item in (*locked.sources, *locked.templates)}
    new = {item.name: item.sha256 for item in (*dataset.sources, *dataset.templates)}
    causes += [f"{name} changed" for name in sorted(new) if old.get(name, new[name]) != new[name]]
    causes += [f"{name} added" for name in sorted(set(new) - set(old))]
    causes += [f"{name} removed" for name in sorted(set(old) - set(new))]
    effect = changed_examples or "the dataset changed"
    return [f"{', '.join(causes)} ({effect})" if causes else effect]
