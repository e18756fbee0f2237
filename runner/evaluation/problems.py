"""What is wrong with a recipe's `evaluation:` beyond what its schema says."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from runner.display import one_line, shown
from runner.examples.methods import graded_names, unknown_item
from runner.examples.templates import RecipeProblem
from runner.examples.variants import Keys
from runner.graders.model import InvalidGraderError
from runner.graders.parse import parse_grader
from runner.graders.reading import item_names
from runner.hints import did_you_mean
from runner.recipe.model import Evaluation, Gate, Recipe
from runner.sources.check import check_sources


def evaluation_problems(recipe: Recipe) -> list[RecipeProblem]:
    """Every problem that shows without data: (path in the recipe, sentence)."""
    if recipe.evaluation is None:
        return []
    evaluation = recipe.evaluation
    problems = [*_grader_problems(evaluation), *_slice_problems(recipe, evaluation)]
    found = check_sources(replace(recipe, sources=evaluation.sources))
    problems += [(("evaluation", *keys), sentence) for keys, sentence in found]
    if not evaluation.sources and evaluation.on == "validation" and recipe.split.validation <= 0:
        sentence = (
            "there are no questions: nothing is held out. Set `split.validation`, or give `sources` here."
        )
        problems.append((("evaluation",), sentence))
    if evaluation.gate is not None:
        problems += _gate_problems(evaluation, evaluation.gate)
    return problems


def _grader_problems(evaluation: Evaluation) -> Iterator[RecipeProblem]:
    names: set[str] = set()
    for index, grader in enumerate(evaluation.graders):
        keys: Keys = ("evaluation", "graders", index)
        name = str(grader["name"])
        if name in names:
            sentence = f"found {shown(name)} again, expected each name once. Give one grader another `name`."
            yield keys, sentence
        names.add(name)
        yield from _one_grader_problems(grader, keys)


def training_grader_problems(recipe: Recipe) -> Iterator[RecipeProblem]:
    """What is wrong with the grader of reinforcement: itself, and what it reads of the records."""
    grader, keys = recipe.training.grader, ("training", "grader")
    if grader is None:
        return
    problems = list(_one_grader_problems(grader, keys))
    yield from problems
    if problems or recipe.training.method != "reinforcement":
        return
    known = graded_names(recipe)
    for name in sorted(item_names(parse_grader(dict(grader))) - known):
        yield keys, unknown_item(recipe, name)


def _one_grader_problems(grader: Mapping[str, Any], keys: Keys) -> Iterator[RecipeProblem]:
    try:
        parse_grader(dict(grader))
    except InvalidGraderError as error:
        message, _, _ = str(error).rpartition(" - '")
        yield (*keys, *_inner_keys(error.path)), f"{one_line(message, limit=300)}."


def _inner_keys(path: str) -> Keys:
    """The place inside a grader, such as `grader.labels.0`, as keys."""
    return tuple(int(key) if key.isdigit() else key for key in path.split(".")[1:])


def _slice_problems(recipe: Recipe, evaluation: Evaluation) -> Iterator[RecipeProblem]:
    fields = [field.name for field in recipe.fields]
    for index, name in enumerate(evaluation.slices):
        if name not in fields:
            sentence = f"found {shown(name)}, expected the name of a field. {did_you_mean(name, fields)}"
            yield ("evaluation", "slices", index), sentence


def _gate_problems(evaluation: Evaluation, gate: Gate) -> Iterator[RecipeProblem]:
    names = [str(grader["name"]) for grader in evaluation.graders]
    keys: Keys = ("evaluation", "gate")
    if gate.metric not in names:
        sentence = f"found {shown(gate.metric)}, expected the name of a grader. "
        yield (*keys, "metric"), sentence + did_you_mean(gate.metric, names)
    if gate.better_than not in (None, "locked", *evaluation.baselines):
        sentence = f"found {shown(gate.better_than)}, which is not compared. Add it to `baselines`."
        yield (*keys, "better_than"), sentence
