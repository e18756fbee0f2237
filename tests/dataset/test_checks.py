"""Each rule on the smallest example that breaks it, and on one that does not."""

import pytest

from runner.dataset.checks import RULES, Checker, DatasetLimits, conversation_problems
from runner.dataset.tokens import EstimatedTokens
from runner.dataset.value import Finding
from runner.examples.read import Example, Message
from runner.issues import Severity

GOOD = (("system", "Be kind."), ("user", "Hello?"), ("assistant", "Hello."))
BROKEN = {
    "FT102": (("system", "Be kind."), ("assistant", "Hello.")),
    "FT103": (("system", "Be kind."), ("user", "Hello?")),
    "FT104": (("user", "Hello?"), ("assistant", " \n")),
    "FT105": (("user", "Hello?"), ("system", "Be kind."), ("assistant", "Hello.")),
}


def example(turns: tuple[tuple[str, str], ...], row: int = 1) -> Example:
    messages = tuple(Message(role=role, content=content) for role, content in turns)
    return Example(key=str(row), group=None, variant="", messages=messages, file="data.jsonl", row=row)


def findings(*examples: Example, limits: DatasetLimits | None = None, sides: str = "") -> list[Finding]:
    checker = Checker(limits or DatasetLimits(min_examples=0), EstimatedTokens())
    for number, item in enumerate(examples):
        side = "validation" if sides[number : number + 1] == "v" else "training"
        checker.observe(item, side, checker.counter.count(item.messages))
    n_validation = sides.count("v")
    return checker.findings(len(examples) - n_validation, n_validation, split_asked="v" in sides, keyed=True)


def codes(found: list[Finding]) -> list[str]:
    return [finding.code for finding in found]


def test_a_good_conversation_has_no_problem() -> None:
    assert () == conversation_problems(example(GOOD).messages)


@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_conversation_is_found(code: str) -> None:
    assert (code,) == conversation_problems(example(BROKEN[code]).messages)


def test_too_few_examples() -> None:
    found = findings(example(GOOD), limits=DatasetLimits(min_examples=10))

    assert [
        "error FT101: found 1 training examples, expected at least 10. Add records, or loosen `where`."
    ] == [str(finding) for finding in found]


def test_an_example_over_the_limit_is_an_error_and_a_near_one_a_warning() -> None:
    limits = DatasetLimits(min_examples=0, max_example_tokens=100)
    long = example((("user", "?"), ("assistant", "word " * 200)))
    near = example((("user", "?"), ("assistant", "a" * 470)))

    assert ["FT106"] == codes(findings(long, limits=limits))
    assert ["FT111"] == codes(findings(near, limits=limits))
    assert [] == codes(findings(example(GOOD), limits=limits))


def test_exact_duplicates_are_counted_with_their_rows() -> None:
    found = findings(*(example(GOOD, row) for row in range(1, 7)))

    assert ["FT107"] == codes(found)
    assert (5, ["data.jsonl: row 2", "data.jsonl: row 3", "data.jsonl: row 4"]) == (
        found[0].count,
        [str(place) for place in found[0].places],
    )
    assert str(found[0]).endswith("(data.jsonl: row 2; data.jsonl: row 3; data.jsonl: row 4 and 2 more)")


def test_another_answer_to_the_same_question_is_found() -> None:
    other = example((*GOOD[:2], ("assistant", "Good day.")), row=2)

    assert ["FT108"] == codes(findings(example(GOOD), other))


def test_a_question_on_both_sides_is_a_leak() -> None:
    other = example((*GOOD[:2], ("assistant", "Good day.")), row=2)

    assert ["FT108", "FT109"] == codes(findings(example(GOOD), other, sides="tv"))


def test_an_empty_validation_side_and_a_missing_key_are_warned_about() -> None:
    checker = Checker(DatasetLimits(min_examples=0), EstimatedTokens())

    assert ["FT110", "FT112"] == codes(checker.findings(20, 0, split_asked=True, keyed=False))


def test_codes_are_unique_and_messages_say_what_to_do() -> None:
    assert all(rule.message.rstrip().endswith(".") for rule in RULES.values())
    assert {Severity.ERROR, Severity.WARNING} == {rule.severity for rule in RULES.values()}
