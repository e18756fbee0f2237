"""Every problem of a recipe's sources, fields and templates that shows without data."""

from pathlib import Path

from runner.examples.mapping import check_fields
from runner.examples.methods import method_problems
from runner.examples.selection import check_selection
from runner.examples.templates import RecipeProblem, check_templates
from runner.project import Project
from runner.recipe.model import Recipe
from runner.sources.check import check_sources


def recipe_problems(recipe: Recipe, folder: Path, project: Project) -> list[RecipeProblem]:
    """The problems as (path in the recipe, sentence); template files are read, records are not."""
    return [
        *check_sources(recipe),
        *check_selection(recipe),
        *check_fields(recipe),
        *check_templates(recipe, folder, project),
        *method_problems(recipe),
    ]
