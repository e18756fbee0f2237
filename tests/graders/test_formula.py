"""Formulas over scores."""

import pytest

from runner.graders.formula import FormulaError, read_formula

SCORES = {"a": 0.5, "b": 2.0, "점수": 1.0}


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a", 0.5),
        ("0.7 * a + 0.3 * b", 0.95),
        ("-a + 2", 1.5),
        ("(a + b) / 2", 1.25),
        ("b ^ 3", 8.0),
        ("2 * b ^ 2", 8.0),
        ("min(a, b, 0.25)", 0.25),
        ("max(a, b)", 2.0),
        ("abs(a - b)", 1.5),
        ("floor(1.5) + ceil(1.5)", 3.0),
        ("exp(0) + sqrt(4) + log(1)", 3.0),
        ("점수 * 2", 2.0),
        ("min(a)", 0.5),
    ],
)
def test_arithmetic_works(formula: str, expected: float) -> None:
    """The operators and functions of the hosted service."""
    assert read_formula(formula).value(SCORES) == pytest.approx(expected, abs=1e-12)


def test_the_scores_that_are_used_are_known_beforehand() -> None:
    """So that a missing one is found when a grader is written."""
    assert read_formula("a + min(b, a) - abs(c)").names == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("a +", "it is not arithmetic"),
        ("", "it is not arithmetic"),
        ("a; b", "it is not arithmetic"),
        ("a.real", "'a.real' is not a number, a score or one of min, max, abs, floor, ceil, exp, sqrt, log"),
        ("'x'", "''x'' is not a number, a score or one of min, max, abs, floor, ceil, exp, sqrt, log"),
        (
            "eval(a)",
            "'eval(a)' is not a number, a score or one of min, max, abs, floor, ceil, exp, sqrt, log",
        ),
        (
            "a if b else a",
            "'a if b else a' is not a number, a score or one of min, max, abs, floor, ceil, exp,",
        ),
        ("a < b", "'a < b' is not a number"),
        ("min()", "min takes numbers"),
        ("sqrt(a, b)", "sqrt takes one number"),
        ("min(*a)", "'*a' is not a number"),
        ("max(a, key=b)", "'max(a, key=b)' is not a number"),
        ("True", "True and False are no numbers"),
        ("(" * 400 + "a" + ")" * 400, "it is not arithmetic"),
    ],
)
def test_everything_else_is_refused(formula: str, reason: str) -> None:
    """A formula can neither call nor read anything."""
    with pytest.raises(FormulaError) as caught:
        read_formula(formula)

    assert str(caught.value).startswith(f"the formula '{formula[:80]}' cannot be read: {reason}")


def test_a_long_formula_is_refused() -> None:
    """Before it is parsed."""
    with pytest.raises(FormulaError) as caught:
        read_formula("a+" * 600 + "a")

    assert str(caught.value) == "the formula has 1201 characters; at most 1000 are allowed"


@pytest.mark.parametrize("formula", ["a / 0", "9 ^ 9 ^ 9", "log(0)", "sqrt(-1)", "1e308 * 10", "0 ^ -1"])
def test_what_has_no_value_is_an_error(formula: str) -> None:
    """Never infinity, never a hang; the rest of the sentence is Python's."""
    with pytest.raises(FormulaError, match="^the formula has no value here: "):
        read_formula(formula).value(SCORES)
