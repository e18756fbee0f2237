"""What was checked, as JUnit XML: one suite for each recipe, one case for each check.

The format has no standard; https://github.com/testmoapp/junitxml (2026-11) describes what readers take.
"""

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from runner.dataset.checks.checked import Checked
from runner.dataset.checks.registry import RULES
from runner.dataset.value import Finding
from runner.display import neutralise
from runner.issues import Severity

# Characters that XML 1.0 cannot hold, beyond those that `neutralise` writes out.
_NOT_XML = re.compile("[\ufffe\uffff]")


def junit_text(checked: Sequence[Checked]) -> str:
    """The XML; an error fails its case, anything less is said beside it."""
    root = Element("testsuites", name="finetune check")
    for item in checked:
        _suite(root, item)
    for element in (root, *root.findall("testsuite")):
        cases = element.findall(".//testcase")
        element.set("tests", str(len(cases)))
        element.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")


def _suite(root: Element, checked: Checked) -> None:
    suite = SubElement(root, "testsuite", name=_clean(checked.file))
    input_case = SubElement(
        suite, "testcase", classname=_clean(checked.file), name="recipe, records and tests"
    )
    if checked.problems:
        failure = SubElement(input_case, "failure", type="invalid-input")
        failure.set("message", _clean(str(checked.problems[0])))
        failure.text = _clean("\n".join(map(str, checked.problems)))
    found = {finding.code: finding for finding in checked.findings}
    for code in checked.codes:
        name = f"{code} {RULES[code].name}"
        case = SubElement(suite, "testcase", classname=_clean(checked.file), name=name)
        if code in found:
            _say(case, found[code])


def _say(case: Element, finding: Finding) -> None:
    if finding.severity is not Severity.ERROR:
        SubElement(case, "system-out").text = _clean(str(finding))
        return
    failure = SubElement(case, "failure", type=finding.code, message=_clean(finding.message))
    failure.text = _clean(str(finding))


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", neutralise(text))
