"""The templates of a recipe: found, checked, compiled and rendered."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Template
from jinja2 import TemplateError as JinjaError
from jinja2.runtime import Context

from runner.display import one_line, shown
from runner.errors import InvalidInputError
from runner.examples.content import Content, chat, preference, task
from runner.examples.library import Library
from runner.examples.message_lists import list_turns
from runner.examples.metering import SandboxError
from runner.examples.quick import DOUBTS, Evaluate, Render
from runner.examples.rendering import evaluate, make_context, render_text
from runner.examples.sandbox import SandboxEnvironment
from runner.examples.shaping import (
    MadeMessage,
    Shaping,
    compile_shaping,
    decorated,
    shaping_problems,
    tools_of,
)
from runner.examples.template_files import locate
from runner.issues import Issue, Place, json_path
from runner.project import Project
from runner.recipe.model import PARTS, MessageList, MessageTemplate, Recipe
from runner.recipe.model import Template as RecipeTemplate
from runner.sources.base import Record

Keys = tuple[str | int, ...]
RecipeProblem = tuple[Keys, str]


@dataclass(frozen=True, slots=True)
class MessageRenderer:
    """One entry under `messages`, ready to use; `template` is None for a list of messages.

    `quick` gives what `template` does, for most records and much faster, where it is not None.
    """

    keys: Keys
    message: MessageTemplate | MessageList
    template: Template | None
    quick: Render | None


@dataclass(frozen=True, slots=True)
class Variant:
    """A compiled template; `name` is empty for a recipe with a single one.

    `quick` has role and text of every message where all of them are simple. Where `shaping` is there, the
    records are of a known format and there are no messages.
    """

    name: str
    keys: Keys
    parts: Mapping[str, tuple[MessageRenderer, ...]]
    quick: tuple[tuple[str, Render], ...] | None
    template: RecipeTemplate
    method: str = "supervised"
    shaping: Shaping | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression that is true or false for a record, ready to use; `quick` is as for messages."""

    keys: Keys
    template: Template
    quick: Evaluate | None


@dataclass(frozen=True, slots=True)
class Templates:
    """Everything that is rendered for a record."""

    environment: SandboxEnvironment
    variants: tuple[Variant, ...]
    where: Condition | None
    ignore: tuple[tuple[int, Condition], ...] = ()

    def keeps(self, fields: dict[str, Any], record: Record) -> bool:
        """Whether `where` lets the record in. Raises InvalidInputError when it does not say yes or no."""
        return self.where is None or self._holds(self.where, fields, record)

    def ignored(self, fields: dict[str, Any], record: Record) -> tuple[int, ...]:
        """The entries under `checks.ignore` whose `where` is true. Raises InvalidInputError like `keeps`."""
        return tuple(index for index, where in self.ignore if self._holds(where, fields, record))

    def _holds(self, where: Condition, fields: dict[str, Any], record: Record) -> bool:
        value = self._value(where, fields, record)
        if not isinstance(value, bool):
            message = (
                f"found {shown(value)}, expected true or false. Write a comparison such as `| length > 0`."
            )
            raise _invalid(record, where.keys, message)
        return value

    def _value(self, where: Condition, fields: dict[str, Any], record: Record) -> Any:
        if where.quick is not None:
            try:
                return where.quick(fields)
            except DOUBTS:
                pass
        try:
            return evaluate(where.template, make_context(self.environment, fields))
        except SandboxError as error:
            raise _invalid(record, where.keys, str(error)) from error

    def render(self, fields: dict[str, Any], record: Record) -> list[tuple[str, Content]]:
        """What the record says, by variant. Raises InvalidInputError with all problems."""
        issues: list[Issue] = []
        result: list[tuple[str, Content]] = []
        for variant in self.variants:
            if variant.quick is not None:
                try:
                    result.append((variant.name, [(role, text(fields)) for role, text in variant.quick]))
                    continue
                except DOUBTS:
                    pass
            content = self._content(variant, fields, record, issues)
            if content is not None:
                result.append((variant.name, content))
        if issues:
            raise InvalidInputError(issues)
        return result

    def _content(
        self, variant: Variant, fields: dict[str, Any], record: Record, issues: list[Issue]
    ) -> Content | None:
        """What a variant makes of a record, None for an unwanted answer; problems go to `issues`."""
        keys = variant.keys
        try:
            if variant.shaping is not None:
                keys = (*keys, "from")
                return variant.shaping.content(fields, record.data, self._text_of(fields))
            parts = self._parts(variant, fields, record, issues)
            keys = (*keys, "tools")
            tools = tools_of(variant.template.tools, fields)
            beside = {"tools": tools} if tools else {}
            keys = variant.keys
            if variant.method == "reinforcement":
                return task(parts["messages"], {name: fields[name] for name in variant.template.item}, beside)
            if "messages" in parts:
                return chat(parts["messages"], beside)
            asked, better, worse = (parts[name] for name in PARTS[1:])
            if variant.method == "dpo":
                return preference(asked, (better, worse), beside)
            return chat([*asked, *better], beside)
        except SandboxError as error:
            issues.append(Issue(place=record.place, path=json_path(keys), message=str(error)))
            return None

    def _text_of(self, fields: dict[str, Any]) -> Callable[[Template], str]:
        return lambda template: render_text(template, make_context(self.environment, fields))

    def _parts(
        self, variant: Variant, fields: dict[str, Any], record: Record, issues: list[Issue]
    ) -> dict[str, list[MadeMessage]]:
        return {
            name: self._messages(renderers, fields, record, issues)
            for name, renderers in variant.parts.items()
        }

    def _messages(
        self,
        renderers: tuple[MessageRenderer, ...],
        fields: dict[str, Any],
        record: Record,
        issues: list[Issue],
    ) -> list[MadeMessage]:
        """Every message of a part, in the sandbox where need be; problems go to `issues`."""
        context: Context | None = None
        messages: list[MadeMessage] = []
        for renderer in renderers:
            if renderer.quick is not None:
                try:
                    messages.append((renderer.message.role, renderer.quick(fields)))
                    continue
                except DOUBTS:
                    pass
            context = context or make_context(self.environment, fields)
            try:
                messages += _made(renderer, fields, context)
            except SandboxError as error:
                issues.append(Issue(place=record.place, path=json_path(renderer.keys), message=str(error)))
        return messages


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


def _made(renderer: MessageRenderer, fields: dict[str, Any], context: Context) -> list[MadeMessage]:
    message = renderer.message
    if isinstance(message, MessageList):
        return list_turns(message, fields[message.from_field])
    if renderer.template is None:
        raise AssertionError("BUG: a message without its template")
    return [decorated(message, render_text(renderer.template, context), fields)]


def _invalid(record: Record, keys: Keys, message: str) -> InvalidInputError:
    return InvalidInputError([Issue(place=record.place, path=json_path(keys), message=message)])


def _recipe_issue(recipe: Recipe, keys: Keys, message: str) -> Issue:
    return Issue(place=Place(file=recipe.name), path=json_path(keys), message=message)
