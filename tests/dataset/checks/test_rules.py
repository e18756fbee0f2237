"""Every rule on a file that breaks it, and on one that comes close and does not."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.dataset.checks import RULES, Checker, DatasetLimits
from runner.dataset.checks.conversation import Conversation, conversation_of_line
from runner.dataset.checks.hits import Origin
from runner.dataset.checks.registry import EXAMPLE_RULES
from runner.dataset.checks.rule import Rule, Setup
from runner.dataset.measure import measure_line
from runner.dataset.split import Side
from runner.dataset.tokens import EstimatedTokens
from runner.recipe.model import Checks, Ignore

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
ASKED_FOR = {rule.code for rule in RULES.values() if rule.level == "off"}
EXTRAS = {rule.code: rule.extra for rule in RULES.values() if rule.extra}


def conversation(line: dict[str, Any]) -> Conversation:
    made = conversation_of_line(line)
    assert isinstance(made, Conversation), made
    return made


def lines(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The examples of a case: pairs of role and text, messages, or whole lines.

    `{n}` counts where one stands for many; `tools` stand beside the messages of all of them.
    """
    made: list[dict[str, Any]] = []
    beside = {"tools": case["tools"]} if "tools" in case else {}
    for example in case["examples"]:
        if isinstance(example, dict) and "line" in example:
            made.append(example["line"])
            continue
        times, messages = (
            (example["times"], example["messages"]) if isinstance(example, dict) else (1, example)
        )
        for _ in range(times):
            text = json.dumps(messages).replace("{n}", str(len(made)))
            made.append({"messages": [as_message(item) for item in json.loads(text)], **beside})
    return made


def as_message(item: Any) -> dict[str, Any]:
    return {"role": item[0], "content": item[1]} if isinstance(item, list) else item


def checks_of(case: dict[str, Any], code: str) -> Checks:
    value = case.get("checks", {})
    levels = {**value.get("levels", {}), **({code: "warning"} if code in ASKED_FOR else {})}
    return Checks(
        levels=tuple(sorted(levels.items())),
        json_answers=value.get("json_answers", False),
        ignore=tuple(
            Ignore(**{**item, "records": tuple(item["records"])}) for item in value.get("ignore", ())
        ),
    )


def findings(case: dict[str, Any], code: str) -> list[str]:
    """What the checker says of a case, one text per finding."""
    counter = EstimatedTokens(case.get("margin", 0.0))
    limits = DatasetLimits(**{"min_examples": 0, **case.get("limits", {})})
    checker = Checker(limits, counter, checks_of(case, code))
    sides: list[Side] = []
    for row, line in enumerate(lines(case), start=1):
        seen = measure_line(line, counter).conversation
        sides.append("validation" if case.get("sides", "")[row - 1 : row] == "v" else "training")
        ignored = tuple(
            index for index, entry in enumerate(checker.ignore) if f"record-{row}" in entry.records
        )
        checker.collect(
            Origin(f"{row:016x}", "data.jsonl", row, ignored), sides[-1], checker.examiner.examine(seen)
        )
    checker.report_left_out({row: (near, share) for row, near, share in case.get("left_out", ())})
    if case.get("not_compared"):
        checker.report_not_compared()
    totals = case.get("totals", {})
    found = checker.findings(
        sides.count("training"),
        sides.count("validation"),
        split_asked=totals.get("split_asked", False),
        keyed=totals.get("keyed", True),
        sizes=tuple(totals.get("sizes", (0, 0))),
    )
    return [str(finding) for finding in found]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_has_exactly_its_findings(path: Path) -> None:
    code = path.stem.split("-")[0]
    if code in EXTRAS:
        pytest.importorskip(EXTRAS[code], reason=f"{EXTRAS[code]} is not installed")
    case = yaml.safe_load(path.read_text(encoding="utf-8"))

    assert case["findings"] == findings(case, code)


def test_every_rule_has_a_case_of_each_kind() -> None:
    wanted = {f"{code}-{kind}" for code in RULES for kind in ("found", "clean")}

    assert set() == wanted - {path.stem for path in CASES}


def test_a_found_case_finds_its_rule_and_a_clean_one_nothing() -> None:
    for path in CASES:
        code, kind = path.stem.split("-")[:2]
        said = yaml.safe_load(path.read_text(encoding="utf-8"))["findings"]
        if kind == "found":
            assert any(f" {code}: " in text for text in said), path
        else:
            assert [] == said, path


def test_a_quick_look_rules_out_nothing_that_a_rule_finds() -> None:
    setup = Setup(limits=DatasetLimits(min_examples=0, max_example_tokens=50), json_answers=True)
    for path in CASES:
        for line in lines(yaml.safe_load(path.read_text(encoding="utf-8"))):
            seen = conversation(line)
            for item in EXAMPLE_RULES:
                if item.when is not None and not item.when(seen):
                    assert [] == list(item.check(seen, setup)), (path.stem, item.rule.code)


@pytest.mark.parametrize("item", EXAMPLE_RULES, ids=lambda item: item.rule.code)
def test_the_documented_examples_are_what_they_claim(item: Any) -> None:
    """`finetune explain` shows them."""
    rule: Rule = item.rule
    if rule.extra:
        pytest.importorskip(rule.extra, reason=f"{rule.extra} is not installed")
    setup = Setup(limits=DatasetLimits(min_examples=0), json_answers=rule.code == "FT214")
    if not rule.bad.startswith("{"):
        return

    assert [] != list(item.check(conversation(json.loads(rule.bad)), setup))
    assert [] == list(item.check(conversation(json.loads(rule.good)), setup))


def test_rules_say_all_there_is_to_say() -> None:
    for rule in RULES.values():
        texts = (rule.problem, rule.advice, rule.description, rule.why)
        assert all(text.endswith((".", "https://trojansource.codes")) for text in texts), rule.code
        assert rule.name == rule.name.lower() and " " not in rule.name, rule.code
        assert rule.level == "error" or not rule.is_enforced, rule.code
        assert rule.level == "off" or not rule.extra, rule.code
    assert len(RULES) == len({rule.name for rule in RULES.values()})


def test_no_text_takes_more_than_linear_time() -> None:
    """Each would take hours where a pattern backtracks; the time is the suite's to notice."""
    setup = Setup(limits=DatasetLimits(min_examples=0))
    for piece in (
        "a",
        "1",
        "1-",
        "a@",
        "a.",
        "+1 ",
        "{{",
        "{%",
        "`",
        "```",
        "<|",
        "-",
        "é",
        " ",
        "A_",
        "sk-",
        "\n",
        "~~~",
    ):
        text = piece * (60_000 // len(piece))
        seen = conversation({"messages": [as_message(["user", "?"]), as_message(["assistant", text])]})
        for item in EXAMPLE_RULES:
            if not item.rule.extra:
                list(item.check(seen, setup))
