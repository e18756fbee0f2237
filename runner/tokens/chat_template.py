"""A model's chat template, rendered as the local service does when it trains."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runner.examples.message_lists import Turn

# The service trains a reasoning model without its thinking, and on a fixed day: see
# runner/local/training/conversation.py, which this has to agree with; a test holds both together.
OPTIONS = {"enable_thinking": False}
FIXED_DATE = "26 Jul 2024"
SPECIAL_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


class ChatTemplate:
    """A template and the special tokens that it writes. Untrusted: to be rendered where memory is bounded."""

    def __init__(self, text: str, tokens: Mapping[str, str]) -> None:
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = lambda _: FIXED_DATE
        self._template = environment.from_string(text)
        self._tokens = tokens

    @classmethod
    def of_folder(cls, folder: Path) -> "ChatTemplate":
        """The template of a model's folder. Raises OSError, ValueError where there is none."""
        settings = read_settings(folder)
        text = template_text(folder, settings)
        if text is None:
            raise ValueError("the model has no chat template")
        return cls(text, special_tokens(settings))

    def render(self, turns: Sequence[Turn]) -> str:
        """A conversation as the model sees it. Raises TemplateError where the template refuses it."""
        try:
            return self._render(turns)
        except TemplateError:
            # Most templates were written before the role had this name.
            older = [("system" if role == "developer" else role, text) for role, text in turns]
            if older == list(turns):
                raise
            return self._render(older)

    def _render(self, turns: Sequence[Turn]) -> str:
        messages = [{"role": role, "content": text} for role, text in turns]
        given: dict[str, Any] = {"tools": None, "documents": None, "add_generation_prompt": False}
        return self._template.render(messages=messages, **given, **self._tokens, **OPTIONS)


def read_settings(folder: Path) -> dict[str, Any]:
    """The settings of a tokenizer's folder. Raises OSError, ValueError."""
    value = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError("tokenizer_config.json is not an object")
    return value


def template_text(folder: Path, settings: Mapping[str, Any]) -> str | None:
    """The chat template: a file of its own, or in the settings; of several, the one for plain chat."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    found = settings.get("chat_template")
    if isinstance(found, list):
        named = {item["name"]: item["template"] for item in found if isinstance(item, dict)}
        found = named.get("default")
    return found if isinstance(found, str) else None


def special_tokens(settings: Mapping[str, Any]) -> dict[str, str]:
    """The special tokens that templates may write, by name."""
    tokens = {}
    for name in SPECIAL_TOKENS:
        value = settings.get(name)
        text = value.get("content") if isinstance(value, dict) else value
        if isinstance(text, str):
            tokens[name] = text
    return tokens


class _Generation(Extension):
    """`{% generation %}` marks the answers for training and writes what it holds."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: str) -> None:
    raise TemplateError(message)
