"""Writes docs/reference/ from the code: the schemas, the commands' help, the checks. A test compares."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from runner.cli.commands import COMMANDS
from runner.cli.main import finetune
from runner.dataset.checks import RULES
from runner.dataset.checks.rule import Rule
from runner.display import spelled_out
from runner.examples.allow_list import ALLOWED_FILTERS, ALLOWED_METHODS, ALLOWED_TESTS
from runner.schema import load_schema

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
NOTE = "<!-- Written by scripts/make_reference.py; `make docs` writes it again. -->\n"
CHECKS_HEAD = """\
# Checks

What `check`, `build`, `plan` and `run` look for in a dataset. An error stops the command with exit code 1;
a warning and what is only worth knowing (info) do not; what is off is not looked for. A finding names the
first three places by file and row. `checks:` in the recipe sets levels and leaves records alone;
[the guide](../guides/checks.md) shows how. `finetune explain CODE` prints a section of this page.

FT1xx: what hosted services take. FT2xx: damaged text. FT3xx: secrets and personal data. FT4xx: what shows
only in the whole dataset. FT9xx: the checks themselves."""


def pages() -> dict[str, str]:
    """Every generated page by file name."""
    return {
        "recipe.md": _schema_page("recipe", "Every key of a recipe", "finetune schema"),
        "lockfile.md": _schema_page("lockfile", "Every key of a lockfile", "finetune schema lockfile"),
        "host-entries.md": _schema_page("host", "Every key of a host entry", "finetune schema host"),
        "aliases.md": _schema_page("aliases", "Every key of aliases.yaml", "finetune schema aliases"),
        "commands.md": _commands_page(),
        "checks.md": _checks_page(),
        "templates.md": _templates_page(),
    }


def main() -> None:
    """Write all pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def _schema_page(name: str, title: str, command: str) -> str:
    schema = load_schema(name)
    rows = [f"| `{path}` | {kind} | {text} |" for path, kind, text in _rows(schema, schema, "")]
    made = f"`{command}` prints the JSON Schema that this page is made from."
    head = f"# {title}\n\n{schema['description']} {made}"
    return "\n".join([f"{NOTE}{head}\n", "| key | value | meaning |", "|---|---|---|", *rows]) + "\n"


def _rows(node: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    node = _resolved(node, root)
    for key, value in node.get("properties", {}).items():
        inner = {**_resolved(value, root), **value}
        where = f"{path}.{key}" if path else key
        default = f" Default: `{_written(inner['default'])}`." if "default" in inner else ""
        text = inner.get("description", "") + default
        yield where, _kind(inner, root), text.replace("|", "\\|")
        if path or key != "profiles":
            yield from _inner_rows(inner, root, where)


def _inner_rows(node: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    node = _resolved(node, root)
    if "items" in node:
        yield from _inner_rows(node["items"], root, f"{path}[]")
    for branch in node.get("anyOf", []):
        yield from _inner_rows(branch, root, path)
    if isinstance(node.get("additionalProperties"), dict):
        yield from _inner_rows(node["additionalProperties"], root, f"{path}.*")
    yield from _rows(node, root, path)


def _resolved(node: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    reference = node.get("$ref")
    return root["$defs"][reference.removeprefix("#/$defs/")] if reference else node


def _kind(node: dict[str, Any], root: dict[str, Any]) -> str:
    node = _resolved(node, root)
    if "const" in node:
        return f"`{_written(node['const'])}`"
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    if "anyOf" in node:
        return " or ".join(dict.fromkeys(_kind(branch, root) for branch in node["anyOf"]))
    names = {"object": "mapping", "array": "list", "string": "text"}
    return names.get(node.get("type", ""), node.get("type", "anything"))


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _commands_page() -> str:
    parts = [
        f"{NOTE}# Commands\n\nResults go to stdout, progress to stderr. See [exit codes](exit-codes.md)."
    ]
    context = finetune.make_context("finetune", [], resilient_parsing=True)
    for name in COMMANDS:
        command = finetune.get_command(context, name)
        if command is None:
            raise AssertionError(f"BUG: no command {name}")
        parts += list(_command_parts(command, context, f"finetune {name}"))
    return "\n\n".join(parts) + "\n"


def _command_parts(command: click.Command, parent: click.Context, title: str) -> Iterator[str]:
    context = click.Context(command, info_name=title.split()[-1], parent=parent, terminal_width=100)
    yield f"## {title}\n\n```text\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _command_parts(inner, context, f"{title} {name}")


def _checks_page() -> str:
    rows = [
        f"| [{rule.code}](#{rule.code.lower()}-{rule.name}) | {rule.name} | {rule.level} | "
        f"{_cell(rule.description)} |"
        for rule in RULES.values()
    ]
    table = "\n".join(["| code | name | level | what holds |", "|---|---|---|---|", *rows])
    return "\n\n".join([f"{NOTE}{CHECKS_HEAD}", table, *map(_rule_section, RULES.values())]) + "\n"


def _rule_section(rule: Rule) -> str:
    facts = [f"Level: {rule.level}."]
    if rule.is_enforced:
        facts.append("Hosted services enforce it: no recipe can lower or suppress it.")
    if rule.extra:
        facts.append("Needs `pip install 'finetune-runner[checks]'`.")
    if rule.safe_fix:
        facts.append(f"`finetune check --fix` {rule.safe_fix}.")
    samples = (
        f"Found:\n\n```text\n{spelled_out(rule.bad)}\n```\n\nClean:\n\n```text\n{spelled_out(rule.good)}\n```"
    )
    parts = [
        f"## {rule.code} {rule.name}",
        f"{_prose(rule.description)} {' '.join(facts)}",
        _prose(rule.why),
        f"> {_prose(rule.message)}",
        samples,
    ]
    return "\n\n".join(parts)


def _cell(text: str) -> str:
    return _prose(text).replace("|", "\\|")


def _prose(text: str) -> str:
    """Text that Markdown and site generators leave as it is."""
    return re.sub(r"<[^<>]+>|\{[{%][^{}]+[}%]\}", lambda match: f"`{match.group()}`", text)


def _templates_page() -> str:
    head = (
        "# Templates\n\n`content`, `content_file` and `where` are Jinja, in a sandbox that allows only "
        "what is listed here. A field that is missing, none, a list or an object cannot be written out; "
        "numbers and booleans are written as JSON writes them. Values are data: what looks like a template "
        "inside them stays text. `{% include 'file' %}` takes a constant name inside the project. One "
        "newline at the end of a template is not part of the message."
    )
    listed = [
        f"**Filters**: {_names(ALLOWED_FILTERS)}",
        f"**Tests**: {_names(ALLOWED_TESTS)}",
        f"**Methods of text, lists and objects**: {_names(ALLOWED_METHODS)}",
        "A message has at most 1,048,576 characters; memory and time per record are limited too.",
    ]
    return "\n\n".join([f"{NOTE}{head}", *listed]) + "\n"


def _names(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) + "."


if __name__ == "__main__":
    main()
