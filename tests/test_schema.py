"""The schemas define the language: everything else follows them."""

import json
from dataclasses import MISSING, fields
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runner.recipe import model
from runner.schema import load_schema, schema_text

RECIPE = load_schema("recipe")
PAIRS = {
    "source": model.Source,
    "sample": model.Sample,
    "join": model.Join,
    "message": model.MessageTemplate,
    "named_template": model.Template,
    "split": model.Split,
    "training": model.Training,
    "recipe_model": model.RecipeModel,
    "hyperparameters": model.Hyperparameters,
    "limits": model.Limits,
    "checks": model.Checks,
    "ignore": model.Ignore,
    "test": model.RecipeTest,
    "expectation": model.Expectation,
    "expected_message": model.ExpectedMessage,
    "evaluation": model.Evaluation,
    "gate": model.Gate,
}


# `from` is a word of Python's own.
RENAMED = {("named_template", "from"): "shape"}


@pytest.mark.parametrize("name", ["recipe", "lockfile", "host", "aliases"])
def test_the_schema_is_valid(name: str) -> None:
    Draft202012Validator.check_schema(load_schema(name))


@pytest.mark.parametrize("name", ["evaluation", "candidate", "sha256"])
def test_an_alias_keeps_what_a_lockfile_has(name: str) -> None:
    assert load_schema("lockfile")["$defs"][name] == load_schema("aliases")["$defs"][name]


@pytest.mark.parametrize("name", PAIRS)
def test_the_types_follow_the_schema(name: str) -> None:
    """Properties are fields, required properties are fields without a default, defaults are equal."""
    definition, kind = RECIPE["$defs"][name], PAIRS[name]
    declared = {field.name: field for field in fields(kind)}

    assert {RENAMED.get((name, key), key) for key in definition["properties"]} == set(declared)
    required = {key for key, field in declared.items() if field.default is field.default_factory is MISSING}
    assert set(definition.get("required", [])) == required
    for key, property_ in definition["properties"].items():
        if "default" in property_:
            assert property_["default"] == declared[RENAMED.get((name, key), key)].default


def test_top_level_keys_are_fields_of_the_recipe() -> None:
    renamed = {"template": "templates"}
    composing = {"version", "extends", "profiles"}
    keys = {renamed.get(key, key) for key in RECIPE["properties"]} - composing

    assert keys == {field.name for field in fields(model.Recipe)}


def test_profiles_take_every_key_but_four() -> None:
    assert set(RECIPE["properties"]) - {"version", "name", "extends", "profiles"} == set(
        RECIPE["$defs"]["profile"]["properties"]
    )


@pytest.mark.parametrize("name", ["recipe", "lockfile", "host", "aliases"])
def test_every_property_is_described(name: str) -> None:
    missing = [
        path for path, node in properties(json.loads(schema_text(name)), "$") if not described(name, node)
    ]

    assert [] == missing


def properties(node: Any, path: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    if isinstance(node, dict):
        for key, value in node.get("properties", {}).items():
            found.append((f"{path}.{key}", value))
        for key, value in node.items():
            # A condition only repeats what it looks at.
            if key != "if":
                found += properties(value, f"{path}.{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            found += properties(value, f"{path}[{index}]")
    return found


def described(name: str, node: dict[str, Any]) -> bool:
    if "description" in node:
        return True
    reference = node.get("$ref", "").removeprefix("#/$defs/")
    return bool(reference) and "description" in load_schema(name)["$defs"][reference]
