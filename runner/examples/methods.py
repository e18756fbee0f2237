"""Whether what a recipe's templates make is what its training method takes."""

from collections.abc import Iterator

from runner.display import shown
from runner.examples.content import TASK_KEYS
from runner.hints import did_you_mean, listed
from runner.recipe.model import MessageTemplate, Recipe, Template, Training

Keys = tuple[str | int, ...]
Problem = tuple[Keys, str]

# The hyperparameters that one method alone has; names of OpenAI's `fine_tuning.jobs.create` (2026-11).
OWN = {
    "supervised": (),
    "dpo": ("beta",),
    "reinforcement": ("compute_multiplier", "eval_interval", "eval_samples", "reasoning_effort"),
}
PAIRS = ("dpo",)


def method_problems(recipe: Recipe) -> Iterator[Problem]:
    """Every problem of the method that shows without data: (path in the recipe, sentence)."""
    training = recipe.training
    yield from _training_problems(training)
    for index, template in enumerate(recipe.templates):
        start: Keys = ("templates", index) if template.name else ("template",)
        if training.method == "dpo":
            yield from _pair_problems(template, start)
        elif training.method == "reinforcement":
            yield from _task_problems(template, start)
        if template.item:
            yield from _item_problems(recipe, template, start)


def _training_problems(training: Training) -> Iterator[Problem]:
    for method, names in OWN.items():
        for name in names:
            if method != training.method and getattr(training.hyperparameters, name) is not None:
                yield (
                    ("training", "hyperparameters", name),
                    f"found {name}, which belongs to `method: {method}`; this recipe trains by "
                    f"{training.method}. Remove it, or change the method.",
                )
    if training.method == "reinforcement" and training.grader is None:
        yield ("training",), "expected a `grader`, which judges the answers. Add it."
    if training.method != "reinforcement" and training.grader is not None:
        yield (
            ("training", "grader"),
            "found a grader, which `method: reinforcement` alone uses. Remove it, or change the method.",
        )


def _pair_problems(template: Template, start: Keys) -> Iterator[Problem]:
    if template.shape is not None and template.shape not in PAIRS:
        yield (
            (*start, "from"),
            f"found {shown(template.shape)}, which has one answer a record; `method: dpo` needs a better one "
            "and a worse one. Use `from: dpo`.",
        )
    if template.messages:
        yield (
            (*start, "messages"),
            "found one conversation a record; `method: dpo` needs two answers. Write `input`, "
            "`preferred_output` and `non_preferred_output`, or use `from: dpo`.",
        )


def _task_problems(template: Template, start: Keys) -> Iterator[Problem]:
    if template.preferred_output:
        yield (
            (*start, "preferred_output"),
            "found two answers a record; with `method: reinforcement` the model answers by itself. "
            "Write `messages` that end with the user's.",
        )
    last = template.messages[-1] if template.messages else None
    if isinstance(last, MessageTemplate) and last.role != "user":
        yield (
            (*start, "messages", len(template.messages) - 1),
            f"found a message of the {last.role} at the end; with `method: reinforcement` the model answers "
            "the user by itself and the grader judges it. Remove it; what the grader compares with goes "
            "under `item`.",
        )


def _item_problems(recipe: Recipe, template: Template, start: Keys) -> Iterator[Problem]:
    if recipe.training.method != "reinforcement":
        message = "found `item`, which `method: reinforcement` alone uses. Remove it, or change the method."
        yield (*start, "item"), message
        return
    fields = [field.name for field in recipe.fields]
    for number, name in enumerate(template.item):
        if name in TASK_KEYS:
            message = f"found {shown(name)}, which the line of an example has already. Rename the field."
            yield (*start, "item", number), message
            continue
        # A record of a known format has columns beside the fields.
        if template.shape is None and name not in fields:
            hint = did_you_mean(name, fields)
            message = f"found {shown(name)}, expected the name of a field. {hint}"
            yield (*start, "item", number), message


def graded_names(recipe: Recipe) -> set[str]:
    """What graders of a recipe may call `item.…` in every record, by all of its templates."""
    kept = [set(template.item) for template in recipe.templates]
    return set.intersection(*kept) if kept else set()


def unknown_item(recipe: Recipe, name: str) -> str:
    """That a grader reads what the records do not bring along."""
    known = sorted(graded_names(recipe))
    has = f"The records bring {listed(known)}." if known else "The records bring nothing along."
    return f"found `item.{name}`. {has} Add it under `template.item`."
