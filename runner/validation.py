"""Check a recipe, and all it says, before any record is touched."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePath

from runner.errors import InvalidInputError, UsageError
from runner.examples.mapping import check_fields
from runner.examples.methods import method_problems
from runner.examples.selection import check_selection
from runner.examples.templates import check_templates
from runner.hints import did_you_mean
from runner.issues import Issue
from runner.operator import Operator
from runner.project import Grants
from runner.providers.checks import host_problems
from runner.recipe.load import LoadedRecipe, choose_profile, load_profiles
from runner.recipe.model import Checks
from runner.recipe.yaml import Keys
from runner.sources.check import check_sources
from runner.sources.supply import adopt


def validate(path: Path, operator: Operator) -> LoadedRecipe:
    """Read a recipe and check it, its profiles, templates and host entries, without touching any record.

    Then run the tests that bring their record along. Raises InvalidInputError with all problems.
    """
    profiles = load_profiles(path, operator.profile, operator.assignments)
    chosen = choose_profile(profiles, path, operator.profile)
    issues: list[Issue] = []
    for loaded in profiles.values():
        runs = (loaded, *loaded.combinations)
        for each in {each.run_name: each for run in runs for each in run.lineage}.values():
            issues += [issue for issue in _semantic_issues(each, operator) if issue not in issues]
    issues = issues or _failed_tests(chosen)
    if issues:
        raise InvalidInputError(issues)
    return _granted(chosen, operator)


def _granted(loaded: LoadedRecipe, operator: Operator) -> LoadedRecipe:
    """The recipe in a project that may read what the operator grants; files are copied into its state."""
    if operator.grants == Grants():
        return loaded
    files = []
    for name, path in operator.grants.files:
        source = next((source for source in loaded.recipe.sources if source.name == name), None)
        if source is None:
            known = [source.name for source in loaded.recipe.sources if source.name is not None]
            raise UsageError(
                f"--source {name}: found no source called '{name}'. {did_you_mean(name, known)}".rstrip()
            )
        suffixes = "" if path.suffix else "".join(PurePath(source.path).suffixes)
        files.append((name, adopt(path, f"{path.name}{suffixes}", loaded.project)))
    grants = replace(operator.grants, files=tuple(files))
    project = replace(loaded.project, grants=grants)
    combinations = tuple(replace(each, project=project) for each in loaded.combinations)
    return replace(loaded, project=project, combinations=combinations)


def _semantic_issues(loaded: LoadedRecipe, operator: Operator) -> list[Issue]:
    problems = [
        *check_sources(loaded.recipe),
        *check_selection(loaded.recipe),
        *check_fields(loaded.recipe),
        *check_templates(loaded.recipe, loaded.folder, loaded.project),
        *method_problems(loaded.recipe),
        *_problems_of_rare_parts(loaded),
    ]
    issues = [loaded.issue(keys, message) for keys, message in problems]
    return [*issues, *host_problems(loaded, operator.user_hosts)]


def _problems_of_rare_parts(loaded: LoadedRecipe) -> Iterator[tuple[Keys, str]]:
    """Of what most recipes leave out. Imported where it is there: the start of every command waits for it."""
    recipe = loaded.recipe
    if recipe.training.grader is not None or recipe.evaluation is not None:
        from runner.evaluation.problems import evaluation_problems, training_grader_problems

        yield from training_grader_problems(recipe)
        yield from evaluation_problems(recipe)
    if recipe.checks != Checks():
        from runner.dataset.checks.settings import check_settings

        yield from check_settings(loaded)
    if recipe.tests:
        from runner.dataset.recipe_tests import check_tests

        yield from check_tests(recipe)


def _failed_tests(loaded: LoadedRecipe) -> list[Issue]:
    if not loaded.recipe.tests:
        return []
    from runner.dataset.recipe_tests import failed_tests

    return failed_tests(loaded)
