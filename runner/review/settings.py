"""The recipe, or what a lockfile keeps of it, as values by path, and what differs between two of them."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from itertools import chain
from typing import Any

from runner.lock.lockfile import LockedJob, LockedRun
from runner.planning.changes import grader_sha256, section_hashes
from runner.recipe.composition import DEFAULT_PROFILE
from runner.recipe.model import Evaluation, Field, MessageList, MessageTemplate, Recipe, Template
from runner.review.value import Change, Hashed, Settings

# path, value, whether it is the default
Setting = tuple[str, Any, bool]

_RECORDED = ("status", "attempt", "fine_tuned_model", "trained_tokens", "model_sha256")


def recipe_settings(recipe: Recipe) -> Settings:
    """Every value of a recipe under its profile; nothing of how it is written down."""
    return _settings(_recipe_values(recipe))


def recipe_as_locked(recipe: Recipe) -> Settings:
    """What a lockfile would keep of a recipe: the training values, and a hash of every other part."""
    sections = ((name, Hashed(digest), False) for name, digest in section_hashes(recipe).items())
    digest = grader_sha256(recipe.training)
    graders = [("training.grader", Hashed(digest), False)] if digest else []
    return _settings(chain(_values(recipe.training, "training", without=("grader",)), graders, sections))


def locked_settings(run: LockedRun, *, recorded: bool) -> Settings:
    """What a lockfile keeps of the recipe, with `recorded` also what came of the job."""
    return _settings(_locked_values(run, recorded=recorded))


def setting_changes(before: Settings, after: Settings) -> tuple[Change, ...]:
    """The values that differ, in the order of the recipe; a default on one side alone is no change."""
    paths = list(dict.fromkeys([*after.values, *before.values]))
    return tuple(change for path in paths for change in _change(path, before, after))


def _change(path: str, before: Settings, after: Settings) -> Iterator[Change]:
    old, new = before.values.get(path), after.values.get(path)
    if path not in before.values:
        if path not in after.defaults:
            yield Change(path=path, kind="added", after=new)
    elif path not in after.values:
        if path not in before.defaults:
            yield Change(path=path, kind="removed", before=old)
    elif old != new:
        yield Change(path=path, kind="changed", before=old, after=new)


def _settings(values: Iterator[Setting]) -> Settings:
    listed = list(values)
    return Settings(
        values={path: value for path, value, _ in listed},
        defaults=frozenset(path for path, _, is_default in listed if is_default),
    )


def _recipe_values(recipe: Recipe) -> Iterator[Setting]:
    for name in ("name", "description"):
        yield name, getattr(recipe, name), not getattr(recipe, name)
    yield "sources", [source.path for source in recipe.sources], False
    for source in recipe.sources:
        yield from _values(source, f"sources[{source.path}]", without=("path",))
    for name in ("key", "where"):
        if getattr(recipe, name) is not None:
            yield name, getattr(recipe, name), False
    for item in recipe.fields:
        yield from _field_values(item)
    names = [template.name for template in recipe.templates if template.name]
    if names:
        yield "templates", names, False
    for template in recipe.templates:
        yield from _template_values(template)
    yield from _values(recipe.split, "split")
    yield from _values(recipe.training, "training")
    yield from _values(recipe.limits, "limits")
    for path, values in recipe.matrix:
        yield f"matrix.{path}", list(values), False
    if recipe.evaluation is not None:
        yield from _evaluation_values(recipe.evaluation)


def _evaluation_values(evaluation: Evaluation) -> Iterator[Setting]:
    for grader in evaluation.graders:
        for name, value in grader.items():
            if name != "name":
                yield f"evaluation.graders.{grader['name']}.{name}", value, False
    if evaluation.sources:
        yield "evaluation.sources", [source.path for source in evaluation.sources], False
    yield from _values(evaluation, "evaluation", without=("graders", "sources"))


def _field_values(item: Field) -> Iterator[Setting]:
    yield from _values(item, f"fields.{item.name}", without=("name", "default", "has_default"))
    if item.has_default:
        yield f"fields.{item.name}.default", item.default, False


def _messages_of(template: Template, start: str) -> Iterator[tuple[str, MessageTemplate | MessageList]]:
    for part, messages in template.parts.items():
        for index, message in enumerate(messages):
            yield f"{start}.{part}[{index}]", message


def _template_values(template: Template) -> Iterator[Setting]:
    start = f"templates.{template.name}" if template.name else "template"
    for name, value in (("from", template.shape), ("system", template.system), ("tools", template.tools)):
        if value is not None:
            yield f"{start}.{name}", value, False
    if template.shape is not None:
        yield f"{start}.roles", dict(template.roles), not template.roles
    if template.item:
        yield f"{start}.item", list(template.item), False
    for path, message in _messages_of(template, start):
        if isinstance(message, MessageList):
            yield f"{path}.from", message.from_field, False
            yield from _values(message, path, without=("from_field", "roles", "keep", "speakers"))
            yield f"{path}.roles", dict(message.roles), not message.roles
            yield f"{path}.keep", list(message.keep), not message.keep
            yield f"{path}.speakers", list(message.speakers), not message.speakers
        else:
            yield from _values(message, path)


def _values(value: Any, path: str, *, without: tuple[str, ...] = ()) -> Iterator[Setting]:
    for item in fields(value):
        inner, where = getattr(value, item.name), f"{path}.{item.name}"
        if item.name in without or inner is None:
            continue
        if is_dataclass(inner):
            yield from _values(inner, where)
        elif isinstance(inner, Mapping):
            yield from ((f"{where}.{name}", entry, False) for name, entry in inner.items())
        else:
            yield where, inner, item.default is not MISSING and inner == item.default


def _locked_values(run: LockedRun, *, recorded: bool) -> Iterator[Setting]:
    if run.job is not None:
        yield from _asked_values(run.job)
    for name, digest in run.sections.items():
        yield name, Hashed(digest), False
    if run.job is not None and recorded:
        for name in _RECORDED:
            if getattr(run.job, name) is not None:
                yield f"job.{name}", getattr(run.job, name), False
        for name, value in run.job.resolved.items():
            yield f"job.hyperparameters.resolved.{name}", value, False


def _asked_values(job: LockedJob) -> Iterator[Setting]:
    if job.base is None:
        yield "training.model", job.model, False
    else:
        yield "training.model.recipe", job.base.recipe, False
        yield "training.model.profile", job.base.profile, job.base.profile == DEFAULT_PROFILE
    for name in ("provider", "method"):
        yield f"training.{name}", getattr(job, name), False
    for group, values in (("hyperparameters", job.requested), ("options", job.options)):
        for name, value in values.items():
            yield f"training.{group}.{name}", value, False
    yield "training.seed", job.seed, False
    if job.suffix is not None:
        yield "training.suffix", job.suffix, False
    if job.grader_sha256 is not None:
        yield "training.grader", Hashed(job.grader_sha256), False
