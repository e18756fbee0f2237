"""The templates of a recipe: found, checked and compiled."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from jinja2 import TemplateError as JinjaError

from runner.display import one_line
from runner.errors import InvalidInputError
from runner.examples.library import Library
from runner.examples.metering import SandboxError
from runner.examples.quick import Render
from runner.examples.shaping import compile_shaping, shaping_problems
from runner.examples.template_files import locate
from runner.examples.variants import Condition, Keys, MessageRenderer, Templates, Variant
from runner.issues import Issue, Place, json_path
from runner.project import Project
from runner.recipe.model import MessageList, MessageTemplate, Recipe
from runner.recipe.model import Template as RecipeTemplate

RecipeProblem = tuple[Keys, str]


def check_templates(recipe: Recipe, folder: Path, project: Project) -> list[RecipeProblem]:
    """Every problem of the templates that shows without data: (path in the recipe, sentence)."""
    library = Library(recipe, folder, project)
    problems: list[RecipeProblem] = []
    for _, keys, message in _messages(recipe):
        if isinstance(message, MessageList):
            sentences = library.field_problems(message.from_field)
        else:
            sentences = library.content_problems(message)
        problems += [(_content_keys(keys, message), sentence) for sentence in sentences]
        if isinstance(message, MessageTemplate) and message.images is not None:
            sentences = library.field_problems(message.images)
            problems += [((*keys, "images"), sentence) for sentence in sentences]
    for template, keys in _with_keys(recipe):
        problems += [((*keys, *inner), sentence) for inner, sentence in shaping_problems(template, library)]
    if recipe.where is not None:
        problems += [(("where",), sentence) for sentence in library.where_problems(recipe.where)]
    for index, where in _ignore_expressions(recipe):
        keys = ("checks", "ignore", index, "where")
        problems += [(keys, sentence) for sentence in library.where_problems(where)]
    group_by = recipe.split.group_by
    if group_by is not None:
        problems += [(("split", "group_by"), sentence) for sentence in library.field_problems(group_by)]
    return problems


def compile_templates(recipe: Recipe, folder: Path, project: Project) -> Templates:
    """Compile everything that is rendered. Raises InvalidInputError with what `check_templates` finds."""
    problems = check_templates(recipe, folder, project)
    if problems:
        raise InvalidInputError([_recipe_issue(recipe, keys, message) for keys, message in problems])
    library = Library(recipe, folder, project)
    renderers: dict[Keys, list[MessageRenderer]] = {}
    for part, keys, message in _messages(recipe):
        source = None if isinstance(message, MessageList) else library.content(message)
        template = None if source is None else library.environment.from_string(source)
        is_simple = source is not None and _is_text_alone(message)
        quick = library.quick_content(source) if source is not None and is_simple else None
        renderer = MessageRenderer(_content_keys(keys, message), message, template, quick)
        renderers.setdefault(part, []).append(renderer)
    return Templates(
        environment=library.environment,
        variants=tuple(
            _variant(template, keys, renderers, recipe.training.method, library)
            for template, keys in _with_keys(recipe)
        ),
        where=None if recipe.where is None else _condition(library, ("where",), recipe.where),
        ignore=tuple(
            (index, _condition(library, ("checks", "ignore", index, "where"), where))
            for index, where in _ignore_expressions(recipe)
        ),
    )


def template_files(recipe: Recipe, folder: Path, project: Project) -> dict[str, Path]:
    """The files that hold templates, those they include too, by their names in the project; sorted.

    Raises InvalidInputError for one that cannot be used.
    """
    library = Library(recipe, folder, project)
    found: dict[str, Path] = {}
    for _, keys, message in (*_systems(recipe), *_messages(recipe)):
        if isinstance(message, MessageList):
            continue
        try:
            names = library.file_names(message)
            found |= {
                project.name_of(path): path for path in (locate(name, folder, project) for name in names)
            }
        except (SandboxError, JinjaError, RecursionError) as error:
            issue = _recipe_issue(recipe, _content_keys(keys, message), one_line(str(error), limit=200))
            raise InvalidInputError([issue]) from error
    return dict(sorted(found.items()))


def _condition(library: Library, keys: Keys, source: str) -> Condition:
    return Condition(keys, library.expression(source), library.quick_expression(source))


def _ignore_expressions(recipe: Recipe) -> Iterator[tuple[int, str]]:
    for index, entry in enumerate(recipe.checks.ignore):
        if entry.where is not None:
            yield index, entry.where


def _with_keys(recipe: Recipe) -> Iterator[tuple[RecipeTemplate, Keys]]:
    for index, template in enumerate(recipe.templates):
        yield template, (("templates", index) if template.name else ("template",))


def _systems(recipe: Recipe) -> Iterator[tuple[Keys, Keys, MessageTemplate]]:
    for template, start in _with_keys(recipe):
        if template.system is not None:
            message = MessageTemplate(role="system", content=template.system)
            yield start, (*start, "system"), message


def _messages(recipe: Recipe) -> Iterator[tuple[Keys, Keys, MessageTemplate | MessageList]]:
    """Every message with the keys of the part that it stands in, and its own."""
    for template, start in _with_keys(recipe):
        for part, messages in template.parts.items():
            for number, message in enumerate(messages):
                yield (*start, part), (*start, part, number), message


def _variant(
    template: RecipeTemplate,
    keys: Keys,
    renderers: Mapping[Keys, list[MessageRenderer]],
    method: str,
    library: Library,
) -> Variant:
    parts = {part: tuple(renderers[*keys, part]) for part in template.parts}
    is_plain = method == "supervised" and template.tools is None and list(parts) == ["messages"]
    return Variant(
        name=template.name,
        keys=keys,
        parts=parts,
        quick=_quick(parts["messages"]) if is_plain else None,
        template=template,
        method=method,
        shaping=compile_shaping(template, method, library),
    )


def _content_keys(keys: Keys, message: MessageTemplate | MessageList) -> Keys:
    if isinstance(message, MessageList):
        return (*keys, "from")
    return (*keys, "content" if message.content is not None else "content_file")


def _quick(messages: Sequence[MessageRenderer]) -> tuple[tuple[str, Render], ...] | None:
    quick = [(item.message.role, item.quick) for item in messages if item.quick is not None]
    return tuple(quick) if quick and len(quick) == len(messages) else None


def _is_text_alone(message: MessageTemplate | MessageList) -> bool:
    if isinstance(message, MessageList):
        return False
    return message.name is None and message.weight is None and message.images is None


def _recipe_issue(recipe: Recipe, keys: Keys, message: str) -> Issue:
    return Issue(place=Place(file=recipe.name), path=json_path(keys), message=message)
