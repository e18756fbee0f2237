"""Every folder under `invalid` is a source and the message it has to give; a new case is a new folder."""

import json
from pathlib import Path

import pytest

from runner.errors import InvalidInputError
from runner.project import Project
from runner.recipe.model import Source
from runner.sources.read import read_records

CASES = sorted((Path(__file__).parent / "invalid").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_message(case: Path) -> None:
    source = Source(**json.loads((case / "source.json").read_text(encoding="utf-8")))

    with pytest.raises(InvalidInputError) as error:
        list(read_records([source], case, Project(root=case.resolve())))

    assert (case / "expected.txt").read_text(encoding="utf-8") == f"{error.value}\n"


def test_there_are_cases() -> None:
    assert len(CASES) >= 45
