"""A recipe file, read, checked and parsed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.errors import InvalidInputError, RunnerError
from runner.hints import did_you_mean
from runner.issues import Issue, Place, json_path
from runner.project import Project, find_project
from runner.recipe.composition import DEFAULT_PROFILE, apply_profile, profile_names, without_profiles
from runner.recipe.model import Recipe
from runner.recipe.parse import parse_recipe
from runner.recipe.yaml import Document, parse_yaml
from runner.schema import violations

Keys = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class LoadedRecipe:
    """A recipe under one profile, together with where it was read from."""

    recipe: Recipe
    profile: str
    path: Path
    project: Project
    document: Document

    @property
    def folder(self) -> Path:
        """The folder that the recipe's paths are relative to."""
        return self.path.parent

    @property
    def lock_path(self) -> Path:
        """The lockfile beside the recipe."""
        return self.path.with_name(f"{self.path.stem}.lock.yaml")

    def issue(self, keys: Keys, message: str) -> Issue:
        """A problem at a place in this recipe."""
        return Issue(place=self.document.place(keys), path=json_path(keys), message=message)


def load_recipe(path: Path, profile: str = DEFAULT_PROFILE) -> LoadedRecipe:
    """Read a recipe under one profile; the recipe and every other profile are checked as well.

    Raises InvalidInputError with all problems found, RunnerError when the file cannot be read.
    """
    return choose_profile(load_profiles(path), path, profile)


def choose_profile(loaded: dict[str, LoadedRecipe], path: Path, profile: str) -> LoadedRecipe:
    """The recipe under one of its profiles. Raises RunnerError for an unknown one."""
    if profile not in loaded:
        raise RunnerError(
            f"{path}: found no profile '{profile}'. {did_you_mean(profile, list(loaded))} "
            "Profiles stand under `profiles:`."
        )
    return loaded[profile]


def load_profiles(path: Path) -> dict[str, LoadedRecipe]:
    """Read a recipe under every profile, the default first. Raises as `load_recipe` does."""
    project = find_project(path)
    document = _read_document(path, project)
    variants = {DEFAULT_PROFILE: without_profiles(document)}
    issues = _schema_issues(document)
    for name in profile_names(document):
        if not _belongs_to(issues, ("profiles", name)):
            variants[name] = apply_profile(document, name)
    for variant in variants.values():
        issues += [issue for issue in _schema_issues(variant) if not _repeated(issue, issues)]
    if issues:
        raise InvalidInputError(sorted(issues, key=_position))
    return {
        name: LoadedRecipe(
            recipe=parse_recipe(variant.value),
            profile=name,
            path=path.resolve(),
            project=project,
            document=variant,
        )
        for name, variant in variants.items()
    }


def _read_document(path: Path, project: Project) -> Document:
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        raise RunnerError(f"{path}: found a folder, expected a recipe file.") from None
    except OSError as error:
        raise RunnerError(f"{path}: cannot be read: {error.strerror}.") from error
    file = project.name_of(path) if project.contains(path) else path.name
    document, issues = parse_yaml(content, file)
    if issues or document is None:
        raise InvalidInputError(sorted(issues, key=_position))
    if not isinstance(document.value, dict):
        found = "an empty file" if document.value is None else "no mapping at the top"
        message = f"found {found}, expected a recipe. `finetune init DATA` writes one to start from."
        raise InvalidInputError([Issue(place=Place(file=file), message=message)])
    return document


def _schema_issues(document: Document) -> list[Issue]:
    issues = []
    for keys, message in violations("recipe", document.value):
        unknown = message.startswith(("found an unknown key", "found the name"))
        place = document.key_place(keys) if unknown else document.place(keys)
        issues.append(Issue(place=place, path=json_path(keys), message=message))
    return issues


def _repeated(issue: Issue, issues: list[Issue]) -> bool:
    return any(issue.place == other.place and issue.message == other.message for other in issues)


def _belongs_to(issues: list[Issue], keys: Keys) -> bool:
    prefix = json_path(keys)
    below = (f"{prefix}.", f"{prefix}[")
    return any(issue.path == prefix or issue.path.startswith(below) for issue in issues)


def _position(issue: Issue) -> tuple[int, int, Any]:
    return (issue.place.line or 0, issue.place.column or 0, issue.message)
