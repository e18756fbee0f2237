"""The recipe's schema and the registry name the same checks."""

from runner.dataset.checks import RULES
from runner.dataset.checks.registry import UNUSED_IGNORE
from runner.schema import load_schema

DEFINITIONS = load_schema("recipe")["$defs"]


def test_levels_are_those_of_the_registry() -> None:
    """Each with its description; what hosts enforce stays an error."""
    comment = "Hosted services refuse such data: leave the record out."
    wanted = {}
    for code, rule in RULES.items():
        level = {"const": "error", "$comment": comment} if rule.is_enforced else {"$ref": "#/$defs/level"}
        wanted[code] = {"description": rule.description, **level}

    assert wanted == DEFINITIONS["levels"]["properties"]


def test_every_check_of_records_can_be_named_in_a_suppression() -> None:
    assert [code for code in RULES if code != UNUSED_IGNORE.code] == DEFINITIONS["ignore"]["properties"][
        "code"
    ]["enum"]
