"""Every file under `invalid` is a recipe with data and the exact messages it gives; a new case is a new file.

`problems` show without data and are written as path and sentence; `issues` are all that reading yields but
examples.
"""

from pathlib import Path

import pytest
import yaml

from runner.examples.mapping import check_fields
from runner.examples.templates import check_templates
from runner.issues import Issue, json_path
from tests.examples.conftest import MakeSetting

CASES = sorted((Path(__file__).parent / "invalid").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_messages(case: Path, setting: MakeSetting) -> None:
    parts = yaml.safe_load(case.read_text(encoding="utf-8"))
    expected_problems, expected_issues = parts.pop("problems", []), parts.pop("issues", [])
    made = setting(**parts)

    problems = check_fields(made.recipe) + check_templates(made.recipe, made.folder, made.project)

    assert expected_problems == [f"{json_path(keys)}: {sentence}" for keys, sentence in problems]
    if not problems:
        assert expected_issues == [str(item) for item in made.items() if isinstance(item, Issue)]


def test_there_are_cases() -> None:
    assert len(CASES) >= 45
