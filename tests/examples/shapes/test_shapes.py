"""Every format by its records: what each becomes, or the exact words for what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.examples.content import content_of, line_of, turns_of
from runner.examples.shapes.registry import SHAPES
from runner.examples.shapes.shaped import ShapeError

HERE = Path(__file__).parent
CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}-{case['name']}")
    for path in sorted(HERE.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("shape", "case"), CASES)
def test_a_record_becomes_exactly_this(shape: str, case: dict[str, Any]) -> None:
    method = case.get("method", "supervised")
    try:
        content = content_of(SHAPES[shape](case["record"], case.get("roles", {})), method, {})
    except ShapeError as error:
        assert case.get("error") == str(error)
        return

    if content is None:
        assert case["skipped"]
    elif (line := line_of(content)) is not None:
        assert case["line"] == line
        assert list(case["line"]) == list(line)
    else:
        assert case["turns"] == [list(turn) for turn in turns_of(content)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_format_has_its_cases(shape: str) -> None:
    cases = yaml.safe_load((HERE / f"{shape}.yaml").read_text(encoding="utf-8"))

    assert {"good", "bad"} == {"bad" if "error" in case else "good" for case in cases}


def test_a_line_is_what_json_can_hold() -> None:
    """Text from templates was looked at; what comes from a record as it is was not."""
    half, endless = json.loads('["\\ud800", NaN]')
    for name, value, sentence in (
        ("messages", half, "found half of a surrogate pair, expected whole characters. Repair it."),
        ("tools", endless, "found a number that JSON does not have, expected a finite one. Repair it."),
    ):
        text = value if name == "messages" else "x"
        tool = {"name": "f", "parameters": {"maximum": value if name == "tools" else 1}}
        record = {"messages": [{"role": "user", "content": text}], "tools": [tool]}
        with pytest.raises(ShapeError) as caught:
            content_of(SHAPES["openai"](record, {}), "supervised", {})
        assert sentence == str(caught.value)
