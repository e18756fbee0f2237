"""Read one source of a project the way a build does."""

from pathlib import Path
from typing import Any

import pytest

from runner.errors import InvalidInputError
from runner.examples.confinement import read_confined
from runner.examples.read import Example, read_examples
from runner.examples.wire import Bounds
from runner.issues import Issue
from runner.project import Grants, Project
from runner.recipe.model import Recipe
from runner.recipe.parse import parse_recipe, source_from_dict
from runner.sources.read import read_records


class Read:
    """Reads sources that are written as in a recipe; `grants` are the operator's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.grants = Grants()

    @property
    def project(self) -> Project:
        return Project(root=self.folder, grants=self.grants)

    def records(self, *sources: dict[str, Any]) -> list[Any]:
        """The data of every record."""
        return [record.data for record in self._read(sources)]

    def rows(self, *sources: dict[str, Any]) -> list[tuple[str, int]]:
        """File and row of every record."""
        return [(record.file, record.row) for record in self._read(sources)]

    def problems(self, *sources: dict[str, Any]) -> list[str]:
        """Every problem that reading ends with."""
        with pytest.raises(InvalidInputError) as caught:
            self._read(sources)
        return [str(issue) for issue in caught.value.issues]

    def problem(self, *sources: dict[str, Any]) -> str:
        """The only problem."""
        [problem] = self.problems(*sources)
        return problem

    def items(self, *sources: dict[str, Any]) -> list[Example | Issue]:
        """What a recipe with the field `title` makes of the sources, in this process."""
        return list(read_examples(self._recipe(sources), self.folder, self.project))

    def confined(self, *sources: dict[str, Any], bounds: Bounds | None = None) -> list[Example | Issue]:
        """The same from the confined process."""
        return list(read_confined(self._recipe(sources), self.folder, self.project, bounds=bounds))

    def _recipe(self, sources: tuple[dict[str, Any], ...]) -> Recipe:
        return parse_recipe(
            {
                "name": "test",
                "sources": list(sources),
                "fields": {"title": "title"},
                "template": {"messages": [{"role": "user", "content": "{{ title }}"}]},
                "training": {"model": "tiny-1"},
            }
        )

    def _read(self, sources: tuple[dict[str, Any], ...]) -> list[Any]:
        parsed = [source_from_dict(source) for source in sources]
        return list(read_records(parsed, self.folder, self.project))


@pytest.fixture
def read(project: Path) -> Read:
    """A reader of an empty project."""
    return Read(project.resolve())
