"""What was checked in every format, asserted whole where it is small."""

import re
from xml.etree import ElementTree

from runner.dataset.checks import RULES
from runner.dataset.checks.checked import Checked, Result
from runner.dataset.checks.hits import Origin
from runner.dataset.value import Finding
from runner.issues import Issue, Place, Severity
from runner.report.annotations import annotations_text
from runner.report.check_json import checked_data
from runner.report.check_text import checked_text
from runner.report.junit import junit_text
from runner.report.sarif import PROBLEM, inert, sarif_data

HOSTILE = "[x](javascript:1)\n::set-output name=a::b%25,\x1b[31m\ufffe"
ADDRESS = RULES["FT303"]
CHECKED = Checked(
    file="faq.yaml",
    n_examples=12,
    codes=("FT103", "FT303", "FT405"),
    findings=(
        Finding(
            code="FT303",
            severity=Severity.WARNING,
            message=f"message 2 (assistant) has {HOSTILE}. {ADDRESS.advice}",
            count=4,
            places=(Place(file="data/질문 1.jsonl", row=3), Place(file="data/질문 1.jsonl", row=4)),
        ),
        Finding(code="FT103", severity=Severity.ERROR, message=RULES["FT103"].message, count=1),
    ),
    results=(
        Result(
            code="FT303",
            severity=Severity.WARNING,
            message=HOSTILE,
            origin=Origin("a" * 16, "data/질문 1.jsonl", 3),
        ),
        Result(code="FT103", severity=Severity.ERROR, message="none", origin=Origin("b" * 16, "d.csv", 4)),
        Result(code="FT405", severity=Severity.INFO, message="long", origin=None),
    ),
    ignored=(("FT303", "공개된 주소", 2), ("FT304", "unused", 0)),
    n_known=3,
    n_outlived=1,
)
BROKEN = Checked(
    file="bad.yaml",
    problems=(
        Issue(
            place=Place(file="bad.yaml", line=3, column=5), path="$.key", message="found 1, expected text."
        ),
    ),
)


def test_text_groups_findings_the_worst_first() -> None:
    assert checked_text([CHECKED, BROKEN]) == (
        "faq.yaml: 1 error, 1 warning in 12 examples\n"
        "  error FT103 no-answer-at-the-end, once\n"
        "    an example does not end with an assistant message, expected the answer there.\n"
        "    End the template or data with role assistant.\n"
        "  warning FT303 email-address, 4 times: data/질문 1.jsonl: row 3; data/질문 1.jsonl: row 4 "
        "and 2 more\n"
        "    message 2 (assistant) has [x](javascript:1)\n"
        "::set-output name=a::b%25,\\x1b[31m\ufffe.\n"
        f"    {ADDRESS.advice}\n"
        "  in the baseline: 3 findings\n"
        "  in the baseline, found no more: 1; `finetune check --write-baseline` drops them\n"
        "  ignored: FT303 2 times (공개된 주소)\n"
        "\n"
        "bad.yaml: 1 problem\n"
        "  bad.yaml:3:5: $.key: found 1, expected text.\n"
        "\n"
        "`finetune explain FT103` says more."
    )


def test_nothing_found_is_said() -> None:
    clean = Checked(file="faq.yaml", n_examples=1, n_tests=2)

    assert "faq.yaml: nothing found in 1 example\n  2 tests passed" == checked_text([clean])


def test_json_has_every_part() -> None:
    data = checked_data([CHECKED])

    assert False is data["ok"]
    [one] = data["checked"]
    assert ["FT303", "FT103"] == [finding["code"] for finding in one["findings"]]
    assert {
        "code": "FT103",
        "severity": "error",
        "message": "none",
        "file": "d.csv",
        "row": 4,
        "record": "b" * 16,
    } == one["results"][1]
    assert {"known": 3, "outlived": 1} == one["baseline"]


def test_github_commands_are_one_line_each_and_inert() -> None:
    """A line break, a comma or a colon in the data ends nothing."""
    assert annotations_text([CHECKED, BROKEN]).split("\n") == [
        "::warning file=data/질문 1.jsonl,line=3,title=FT303 email-address::message 2 (assistant) has "
        "[x](javascript:1)%0A::set-output name=a::b%2525,\\x1b[31m\ufffe. "
        f"{ADDRESS.advice} Found 4 times: data/질문 1.jsonl: row 3; data/질문 1.jsonl: row 4 …",
        "::error file=faq.yaml,title=FT103 no-answer-at-the-end::an example does not end with an assistant "
        "message, expected the answer there. End the template or data with role assistant.",
        "::error file=bad.yaml,line=3,col=5,title=finetune check::$.key: found 1, expected text.",
    ]


def test_a_file_name_cannot_end_a_property() -> None:
    place = Place(file="a,b:c\nd.csv", row=1)
    finding = Finding(code="FT104", severity=Severity.INFO, message="m", places=(place,))
    [line] = annotations_text([Checked(file="x", findings=(finding,))]).split("\n")

    assert line.startswith(
        "::notice file=a%2Cb%3Ac%0Ad.csv,title=FT104 empty-message::m Found once: a,b:c%0Ad.csv"
    )


def test_junit_fails_for_errors_alone() -> None:
    text = junit_text([CHECKED, BROKEN])
    root = ElementTree.fromstring(text)
    cases = {
        (suite.get("name"), case.get("name")): [child.tag for child in case]
        for suite in root
        for case in suite
    }

    assert {
        ("faq.yaml", "recipe, records and tests"): [],
        ("faq.yaml", "FT103 no-answer-at-the-end"): ["failure"],
        ("faq.yaml", "FT303 email-address"): ["system-out"],
        ("faq.yaml", "FT405 unusual-length"): [],
        ("bad.yaml", "recipe, records and tests"): ["failure"],
    } == cases
    assert [("5", "2"), ("4", "1"), ("1", "1")] == [
        (item.get("tests"), item.get("failures")) for item in (root, *root)
    ]
    assert "\ufffe" not in text


def test_sarif_results_have_places_levels_and_fingerprints() -> None:
    [run] = sarif_data([CHECKED, BROKEN])["runs"]

    assert run["results"] == [
        {
            "ruleId": "FT303",
            "ruleIndex": list(RULES).index("FT303"),
            "level": "warning",
            "message": {"text": "\\[x\\](javascript:1)\n::set-output name=a::b%25,\\\\x1b\\[31m\ufffe"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "data/%EC%A7%88%EB%AC%B8%201.jsonl"},
                        "region": {"startLine": 3},
                    },
                    "logicalLocations": [{"name": "row 3", "kind": "element"}],
                }
            ],
            "partialFingerprints": {"record/v1": f"FT303:{'a' * 16}"},
            "properties": {"count": 4},
        },
        {
            "ruleId": "FT103",
            "ruleIndex": list(RULES).index("FT103"),
            "level": "error",
            "message": {"text": "none"},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": "d.csv"}},
                    "logicalLocations": [{"name": "row 4", "kind": "element"}],
                }
            ],
            "partialFingerprints": {"record/v1": f"FT103:{'b' * 16}"},
            "properties": {"count": 1},
        },
        {
            "ruleId": "FT405",
            "ruleIndex": list(RULES).index("FT405"),
            "level": "note",
            "message": {"text": "long"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": "faq.yaml"}}}],
            "partialFingerprints": {"record/v1": "FT405:faq.yaml"},
            "properties": {"count": 1},
        },
        {
            "ruleId": PROBLEM,
            "ruleIndex": len(RULES),
            "level": "error",
            "message": {"text": "$.key: found 1, expected text."},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "bad.yaml"},
                        "region": {"startLine": 3, "startColumn": 5},
                    }
                }
            ],
        },
    ]


def test_sarif_keeps_the_rules_of_its_standard() -> None:
    """Its version (3.13.2), unique rules (3.19.23), indices that name them (3.27.6), and URIs (3.4.3)."""
    log = sarif_data([CHECKED, BROKEN])
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]

    assert "2.1.0" == log["version"]
    assert {"$schema", "version", "runs"} == set(log)
    assert len(rules) == len({rule["id"] for rule in rules})
    assert {"none", "note", "warning", "error"} >= {rule["defaultConfiguration"]["level"] for rule in rules}
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("note", "warning", "error")
        [location] = result["locations"]
        assert re.fullmatch(r"[A-Za-z0-9%/._~-]+", location["physicalLocation"]["artifactLocation"]["uri"])
    for rule in rules:
        assert rule["shortDescription"]["text"].endswith(".")


def test_a_message_of_sarif_has_no_links() -> None:
    assert "\\[a\\](b) \\\\" == inert("[a](b) \\")
