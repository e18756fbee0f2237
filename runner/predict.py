"""Renders prompts for new records with the templates that a model was trained with."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import meta

from runner.display import shown
from runner.errors import RunnerError, UsageError
from runner.examples.content import asked_of, turns_of
from runner.examples.library import Library
from runner.examples.read import ExampleMaker
from runner.examples.shapes.registry import ANSWERS
from runner.hints import did_you_mean
from runner.project import Project
from runner.recipe.composition import DEFAULT_PROFILE
from runner.recipe.load import load_recipe
from runner.recipe.model import Field, MessageTemplate, Recipe, Split, Template
from runner.sources.base import Record

Prompt = list[dict[str, Any]]
Turn = TypeVar("Turn", bound=tuple[str, str])


def render_prompt(
    recipe_path: Path | str, record: Mapping[str, Any], *, profile: str = DEFAULT_PROFILE, variant: str = ""
) -> Prompt:
    """The messages to send to the tuned model for a record, rendered as for its training.

    They are as the API takes them, with images and calls of tools. The record needs only what the prompt
    reads, not the answer. `prompt_renderer` is the same for many records. Raises RunnerError,
    InvalidInputError.
    """
    return prompt_renderer(recipe_path, profile=profile, variant=variant)(record)


def prompt_renderer(
    recipe_path: Path | str, *, profile: str = DEFAULT_PROFILE, variant: str = ""
) -> Callable[[Mapping[str, Any]], Prompt]:
    """What `render_prompt` does, with the recipe read once.

    Templates run in the sandbox, but in this process: for a recipe of your own, not a stranger's.
    """
    loaded = load_recipe(Path(recipe_path), profile)
    recipe = prompt_recipe(loaded.recipe, loaded.folder, loaded.project, variant)
    maker = ExampleMaker(recipe, loaded.folder, loaded.project)

    def render(record: Mapping[str, Any]) -> Prompt:
        made = maker.conversations(Record(data=dict(record), file="record", row=1))
        if made is None:
            raise AssertionError("BUG: a prompt was left out by `where`")
        _, _, _, [(_, content)] = made
        messages, _ = asked_of(content, len(without_answer(turns_of(content))))
        return messages

    return render


def prompt_recipe(recipe: Recipe, folder: Path, project: Project, variant: str = "") -> Recipe:
    """A recipe that renders prompts alone: one template without its answer, and the fields it reads.

    `where`, `key` and `split` choose training data, so they have no part in it. Raises UsageError for an
    unknown variant, RunnerError for a template that begins with the answer.
    """
    template = _template(recipe, variant)
    training = replace(recipe.training, method="supervised")
    recipe = replace(recipe, training=training, where=None, key=None, split=Split())
    if template.shape is not None:
        return _shaped(recipe, template)
    messages = list(template.input or template.messages)
    while messages and isinstance(messages[-1], MessageTemplate) and messages[-1].role == "assistant":
        messages.pop()
    if not messages:
        raise RunnerError(f"the template of {recipe.name} has nothing before the answer, so nothing to ask.")
    prompt = Template(name=template.name, messages=tuple(messages), tools=template.tools)
    used = _used_fields(replace(recipe, templates=(prompt,)), folder, project)
    return replace(
        recipe,
        templates=(prompt,),
        fields=tuple(field for field in recipe.fields if field.name in used),
    )


def _shaped(recipe: Recipe, template: Template) -> Recipe:
    """A recipe for records of a known format, whose answers need not be there."""
    answers = ANSWERS[template.shape or ""]
    fields = [field for field in recipe.fields if field.name not in answers]
    blank = [Field(name=name, path=name, default=value, has_default=True) for name, value in answers.items()]
    return replace(recipe, templates=(template,), fields=(*fields, *blank))


def without_answer(turns: list[Turn]) -> list[Turn]:
    """The turns of a conversation up to the last that is not the assistant's."""
    end = len(turns)
    while end and turns[end - 1][0] == "assistant":
        end -= 1
    return turns[:end]


def _template(recipe: Recipe, variant: str) -> Template:
    if not variant:
        return recipe.templates[0]
    names = {template.name: template for template in recipe.templates}
    if variant not in names:
        known = did_you_mean(variant, filter(None, names)) or "The recipe has a single one, without a name."
        raise UsageError(f"--variant: found no template {shown(variant)}. {known}")
    return names[variant]


def _used_fields(recipe: Recipe, folder: Path, project: Project) -> set[str]:
    """The fields that the messages read, those of what they include too."""
    library = Library(recipe, folder, project)
    used: set[str] = set()
    written = [item for item in recipe.templates[0].messages if isinstance(item, MessageTemplate)]
    images = [message.images for message in written]
    for message in recipe.templates[0].messages:
        if isinstance(message, MessageTemplate):
            sources = [library.content(message), *map(library.read, library.file_names(message))]
            trees = map(library.parse, sources)
            used |= {name for tree in trees for name in meta.find_undeclared_variables(tree)}
        else:
            used.add(message.from_field)
    return used | {name for name in (*images, recipe.templates[0].tools) if name is not None}
