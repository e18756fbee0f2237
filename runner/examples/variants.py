"""What is rendered for a record: the compiled templates at work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Template
from jinja2.runtime import Context

from runner.display import shown
from runner.errors import InvalidInputError
from runner.examples.content import Content, chat, preference, task
from runner.examples.message_lists import list_turns
from runner.examples.metering import SandboxError
from runner.examples.quick import DOUBTS, Evaluate, Render
from runner.examples.rendering import evaluate, make_context, render_text
from runner.examples.sandbox import SandboxEnvironment
from runner.examples.shaping import MadeMessage, Shaping, decorated, tools_of
from runner.issues import Issue, json_path
from runner.recipe.model import PARTS, MessageList, MessageTemplate
from runner.recipe.model import Template as RecipeTemplate
from runner.sources.base import Record

Keys = tuple[str | int, ...]


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
        if not self.ignore:
            return ()
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


def _made(renderer: MessageRenderer, fields: dict[str, Any], context: Context) -> list[MadeMessage]:
    message = renderer.message
    if isinstance(message, MessageList):
        return list_turns(message, fields[message.from_field])
    if renderer.template is None:
        raise AssertionError("BUG: a message without its template")
    return [decorated(message, render_text(renderer.template, context), fields)]


def _invalid(record: Record, keys: Keys, message: str) -> InvalidInputError:
    return InvalidInputError([Issue(place=record.place, path=json_path(keys), message=message)])
