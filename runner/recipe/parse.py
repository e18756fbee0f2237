"""Checked YAML values to the frozen recipe; only values that the schema accepted come here."""

from typing import Any

from runner.canonical import canonical_json
from runner.recipe.model import (
    PARTS,
    Checks,
    Evaluation,
    Expectation,
    ExpectedMessage,
    Field,
    Gate,
    Hyperparameters,
    Ignore,
    Join,
    Limits,
    MessageList,
    MessageTemplate,
    Recipe,
    RecipeModel,
    RecipeTest,
    Sample,
    Source,
    Split,
    Template,
    Training,
)


def parse_recipe(value: dict[str, Any]) -> Recipe:
    """Build a recipe from a mapping that is valid by `schemas/recipe.schema.json`."""
    return Recipe(
        name=value["name"],
        description=value.get("description", ""),
        sources=tuple(source_from_dict(source) for source in value["sources"]),
        key=value.get("key"),
        fields=tuple(_field(name, field) for name, field in value.get("fields", {}).items()),
        where=value.get("where"),
        templates=_templates(value),
        split=Split(**value.get("split", {})),
        training=_training(value["training"]),
        limits=Limits(**value.get("limits", {})),
        checks=_checks(value.get("checks", {})),
        tests=tuple(_test(item) for item in value.get("tests", [])),
        matrix=_axes(value.get("matrix") or {}),
        evaluation=_evaluation(value["evaluation"]) if "evaluation" in value else None,
    )


def source_from_dict(value: dict[str, Any]) -> Source:
    """Build a source from a mapping of its keys."""
    sample, join = value.get("sample"), value.get("join")
    parts = {
        "tables": tuple(value.get("tables", ())),
        "sample": Sample(**sample) if sample else None,
        "join": Join(**join) if join else None,
    }
    return Source(**{**value, **parts})


def _axes(matrix: dict[str, Any]) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """The keys of a matrix in the order of their paths, with their values as written."""
    return tuple((path, tuple(matrix[path])) for path in sorted(matrix))


def _field(name: str, value: str | dict[str, Any]) -> Field:
    if isinstance(value, str):
        return Field(name=name, path=value)
    return Field(name=name, has_default="default" in value, **value)


def _templates(value: dict[str, Any]) -> tuple[Template, ...]:
    if "template" in value:
        return (_template("", value["template"]),)
    return tuple(_template(item["name"], item) for item in value["templates"])


def _template(name: str, value: dict[str, Any]) -> Template:
    tools = value.get("tools")
    return Template(
        name=name,
        **{part: _messages(value.get(part, [])) for part in PARTS},
        item=tuple(value.get("item", ())),
        shape=value.get("from"),
        roles=tuple(sorted(value.get("roles", {}).items())),
        system=value.get("system"),
        tools=tools if tools is None or isinstance(tools, str) else canonical_json(tools).decode(),
    )


def _messages(value: list[dict[str, Any]] | dict[str, Any]) -> tuple[MessageTemplate | MessageList, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(_message_list(item) if "from" in item else MessageTemplate(**item) for item in items)


def _message_list(value: dict[str, Any]) -> MessageList:
    return MessageList(
        from_field=value["from"],
        role=value.get("role", "role"),
        content=value.get("content", "content"),
        roles=tuple(sorted(value.get("roles", {}).items())),
        keep=tuple(sorted(value.get("keep", ()))),
        speakers=tuple(value.get("speakers", ())),
    )


def _training(value: dict[str, Any]) -> Training:
    parsed = ("hyperparameters", "model", "grader")
    rest = {key: item for key, item in value.items() if key not in parsed}
    model = value["model"]
    return Training(
        grader=_grader(value["grader"]) if "grader" in value else None,
        model=model if isinstance(model, str) else RecipeModel(**model),
        hyperparameters=Hyperparameters(**value.get("hyperparameters", {})),
        **rest,
    )


def _checks(value: dict[str, Any]) -> Checks:
    ignore = (
        Ignore(**{**item, "records": tuple(item.get("records", ()))}) for item in value.get("ignore", [])
    )
    return Checks(
        levels=tuple(sorted(value.get("levels", {}).items())),
        ignore=tuple(ignore),
        json_answers=value.get("json_answers", False),
        baseline=value.get("baseline"),
    )


def _test(value: dict[str, Any]) -> RecipeTest:
    expect = dict(value["expect"])
    messages = expect.pop("messages", None)
    expected = None if messages is None else tuple(ExpectedMessage(**message) for message in messages)
    return RecipeTest(**{**value, "expect": Expectation(messages=expected, **expect)})


# What graders of texts compare where the recipe does not say.
_COMPARED = {"input": "{{ sample.output_text }}", "reference": "{{ item.reference }}"}


def _evaluation(value: dict[str, Any]) -> Evaluation:
    rest = {key: value[key] for key in ("on", "shots", "limit", "max_tokens") if key in value}
    return Evaluation(
        graders=tuple(_grader(item) for item in value["graders"]),
        sources=tuple(source_from_dict(source) for source in value.get("sources", ())),
        baselines=tuple(value.get("baselines", ())),
        slices=tuple(value.get("slices", ())),
        gate=Gate(**value["gate"]) if "gate" in value else None,
        **rest,
    )


def _grader(value: dict[str, Any], name: str = "") -> dict[str, Any]:
    kind = value.get("type")
    usual: dict[str, Any] = {"name": name or value.get("evaluation_metric") or kind}
    if kind in ("string_check", "text_similarity"):
        usual |= _COMPARED
    grader = {**usual, **value}
    if kind == "multi":
        inner = value["graders"].items()
        grader["graders"] = {
            key: _grader(item, key) if isinstance(item, dict) else item for key, item in inner
        }
    return grader
