"""What templates say beside texts: records of a known format, tools, weights, names and images."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jinja2 import Template

from runner.display import shown
from runner.examples.content import Content, content_of
from runner.examples.library import Library
from runner.examples.message_lists import Turn
from runner.examples.metering import SandboxError
from runner.examples.shapes.messages import read_tools
from runner.examples.shapes.registry import SHAPES
from runner.examples.shapes.shaped import Message, Roles, ShapeError, missing, said
from runner.recipe.model import MessageTemplate
from runner.recipe.model import Template as RecipeTemplate

Keys = tuple[str | int, ...]
MadeMessage = Turn | Message
TextOf = Callable[[Template], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaping:
    """How records of a known format are read; `system` and `tools` are for records that have none."""

    shape: str
    method: str
    roles: Roles
    system: Template | None
    tools: str | None
    item: tuple[str, ...]

    def content(self, fields: dict[str, Any], data: dict[str, Any], text_of: TextOf) -> Content | None:
        """What a record says; a field stands in the place of the column of its name. Raises SandboxError."""
        columns = {**data, **fields}
        try:
            if self.tools is not None and not (columns.get("tools") or columns.get("functions")):
                columns["tools"] = tools_of(self.tools, fields)
            shaped = SHAPES[self.shape](columns, self.roles)
            if self.system is not None and shaped.messages[0]["role"] not in ("system", "developer"):
                shaped.messages.insert(0, said("system", text_of(self.system)))
            return content_of(shaped, self.method, self._item(columns))
        except ShapeError as error:
            raise SandboxError(f"not {self.shape}: {error}") from error

    def _item(self, columns: dict[str, Any]) -> dict[str, Any]:
        for name in self.item:
            if name not in columns:
                raise missing(columns, [name], "what the grader sees of the record")
        return {name: columns[name] for name in self.item}


def compile_shaping(template: RecipeTemplate, method: str, library: Library) -> Shaping | None:
    """The reading of a template's format; None where it has messages instead."""
    if template.shape is None:
        return None
    return Shaping(
        shape=template.shape,
        method=method,
        roles=dict(template.roles),
        system=None if template.system is None else library.environment.from_string(template.system),
        tools=template.tools,
        item=template.item,
    )


def shaping_problems(template: RecipeTemplate, library: Library) -> Iterator[tuple[Keys, str]]:
    """What is wrong with the keys of a template beside its messages: (path in the template, sentence)."""
    if template.system is not None:
        problems = library.content_problems(MessageTemplate(role="system", content=template.system))
        yield from ((("system",), sentence) for sentence in problems)
    if template.tools is None:
        return
    if not template.tools.startswith("["):
        yield from ((("tools",), sentence) for sentence in library.field_problems(template.tools))
        return
    try:
        read_tools(template.tools)
    except ShapeError as error:
        yield ("tools",), str(error)


def tools_of(tools: str | None, fields: dict[str, Any]) -> list[Any] | None:
    """The tools that a template names or states. Raises SandboxError."""
    if tools is None:
        return None
    return read_tools(json.loads(tools) if tools.startswith("[") else fields[tools])


def decorated(message: MessageTemplate, text: str, fields: dict[str, Any]) -> MadeMessage:
    """A message of a template with its name, weight and images. Raises SandboxError."""
    images = [] if message.images is None else _images(fields[message.images])
    if not images and message.name is None and message.weight is None:
        return message.role, text
    made: Message = {"role": message.role, "content": text}
    if images:
        made["content"] = [{"type": "text", "text": text}, *images] if text else images
    if message.name is not None:
        made["name"] = message.name
    if message.weight is not None:
        made["weight"] = message.weight
    return made


def _images(value: Any) -> list[Message]:
    """Parts of a message for the addresses of images; none for an empty value."""
    addresses = value if isinstance(value, list) else [value] if value else []
    for address in addresses:
        if not isinstance(address, str):
            raise SandboxError(
                f"found {shown(address)}, expected the address of an image. Use another field."
            )
    return [{"type": "image_url", "image_url": {"url": address}} for address in addresses]
