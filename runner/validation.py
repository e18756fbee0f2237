"""Check a recipe, and all it says, before any record is touched."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path, PurePath

from runner import __version__
from runner.canonical import sha256_of
from runner.errors import InvalidInputError, UsageError
from runner.hints import did_you_mean
from runner.issues import Issue
from runner.operator import Operator
from runner.project import Grants
from runner.providers.checks import host_problems
from runner.recipe.inline import may_read_templates
from runner.recipe.load import LoadedRecipe, choose_profile, load_profiles
from runner.recipe.model import Checks
from runner.recipe.yaml import Keys
from runner.sources.supply import adopt
from runner.verdicts import is_known_valid, note_valid, verdict_key


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
    problems = (*_problems_of_data(loaded), *_problems_of_rare_parts(loaded))
    issues = [loaded.issue(keys, message) for keys, message in problems]
    return [*issues, *host_problems(loaded, operator.user_hosts)]


def _problems_of_data(loaded: LoadedRecipe) -> list[tuple[Keys, str]]:
    """Of sources, fields and templates. A recipe found right before needs nothing of what checks them."""
    recipe = loaded.recipe
    key = None if may_read_templates(recipe) else verdict_key(_judge(), recipe.as_value())
    if key is not None and is_known_valid(key):
        return []
    from runner.examples.problems import recipe_problems

    problems = recipe_problems(recipe, loaded.folder, loaded.project)
    if key is not None and not problems:
        note_valid(key)
    return problems


def _judge() -> str:
    """What tells one state of the code that checks recipes from another, that of its libraries included."""
    libraries = [find_spec(name) for name in ("jinja2", "jmespath")]
    folders = [Path(__file__).parent / name for name in ("examples", "recipe", "sources")]
    folders += [Path(spec.origin).parent for spec in libraries if spec is not None and spec.origin]
    files = (entry for folder in folders for entry in os.scandir(folder) if entry.name.endswith(".py"))
    stamps = ((entry.path, entry.stat().st_size, entry.stat().st_mtime_ns) for entry in files)
    return sha256_of([__version__, sys.version, sorted(stamps)])


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
