"""A recipe file, read, checked and parsed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.errors import InvalidInputError, UnknownProfileError
from runner.hints import command, did_you_mean
from runner.issues import Issue, json_path
from runner.project import Project, find_project
from runner.recipe.assignments import assign, parse_assignment
from runner.recipe.composition import DEFAULT_PROFILE, apply_profile, profile_names, without_profiles
from runner.recipe.extending import read_files
from runner.recipe.model import Recipe
from runner.recipe.parse import parse_recipe
from runner.recipe.yaml import Document, Keys
from runner.schema import Violation, violations


@dataclass(frozen=True, kw_only=True)
class LoadedRecipe:
    """A recipe under one profile, with `assignments` laid over it, and where it was read from.

    `given` is the path as it was typed.
    """

    recipe: Recipe
    profile: str
    path: Path
    project: Project
    document: Document
    given: Path
    assignments: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder that the recipe's paths are relative to."""
        return self.path.parent

    @property
    def lock_path(self) -> Path:
        """The lockfile beside the recipe."""
        return self.path.with_name(f"{self.path.stem}.lock.yaml")

    def command(self, name: str, *options: str) -> str:
        """A command about this recipe as it has to be typed, in backticks."""
        stated = self.assignments if name in ("plan", "run") else ()
        laid_over = [part for text in stated for part in ("--set", text)]
        return command(name, str(self.given), *laid_over, *options, profile=self.profile)

    def issue(self, keys: Keys, message: str) -> Issue:
        """A problem at a place in this recipe."""
        return self.document.issue(keys, message)


def load_recipe(path: Path, profile: str = DEFAULT_PROFILE, assignments: Sequence[str] = ()) -> LoadedRecipe:
    """Read a recipe under one profile; the recipe and every other profile are checked as well.

    `assignments` such as `training.seed=3` are laid over that profile last. Raises InvalidInputError with all
    problems found, RunnerError when the file cannot be read, UsageError for what is no assignment.
    """
    return choose_profile(load_profiles(path, profile, assignments), path, profile)


def choose_profile(loaded: dict[str, LoadedRecipe], path: Path, profile: str) -> LoadedRecipe:
    """The recipe under one of its profiles. Raises RunnerError for an unknown one."""
    if profile not in loaded:
        raise UnknownProfileError(
            f"{path}: found no profile '{profile}'. {did_you_mean(profile, list(loaded))} "
            "Profiles stand under `profiles:`.",
            known=loaded,
        )
    return loaded[profile]


def load_profiles(
    path: Path, profile: str = DEFAULT_PROFILE, assignments: Sequence[str] = ()
) -> dict[str, LoadedRecipe]:
    """Read a recipe under every profile, the default first, as `load_recipe` does."""
    stated = [parse_assignment(text) for text in assignments]
    project = find_project(path)
    files = read_files(path, project)
    issues = [issue for index, file in enumerate(files) for issue in _composing_issues(file, files[:index])]
    variants = {DEFAULT_PROFILE: without_profiles(files)}
    for name in profile_names(files):
        if not _belongs_to(issues, ("profiles", name)):
            variants[name] = apply_profile(files, name)
    if stated and profile in variants:
        variants[profile] = assign(variants[profile], stated)
    for variant in variants.values():
        issues += [issue for issue in _schema_issues(variant) if not _repeated(issue, issues)]
    if issues:
        raise InvalidInputError(in_reading_order(issues, files[-1].file))
    return {
        name: LoadedRecipe(
            recipe=parse_recipe(variant.value),
            profile=name,
            path=path.resolve(),
            given=path,
            project=project,
            document=variant,
            assignments=tuple(assignments) if name == profile else (),
        )
        for name, variant in variants.items()
    }


def in_reading_order(issues: Iterable[Issue], first: str) -> list[Issue]:
    """Issues by file and position, those of one file before all others."""

    def position(issue: Issue) -> tuple[bool, str, int, int, str]:
        place = issue.place
        return (place.file != first, place.file, place.line or 0, place.column or 0, issue.message)

    return sorted(issues, key=position)


def _composing_issues(file: Document, bases: Sequence[Document]) -> list[Issue]:
    """Problems of the keys that every file states for itself."""
    value = {key: file.value[key] for key in ("version", "extends", "profiles") if key in file.value}
    if isinstance(value.get("profiles"), dict):
        known = profile_names(bases)
        kept = {name: item for name, item in value["profiles"].items() if item or name not in known}
        value["profiles"] = kept
    return [
        _issue(file, found)
        for found in violations("recipe", value)
        if found.path[:1] in [(key,) for key in value] or found.missing == "version"
    ]


def _schema_issues(document: Document) -> list[Issue]:
    return [_issue(document, found) for found in violations("recipe", document.value)]


def _issue(document: Document, found: Violation) -> Issue:
    return document.issue(found.path, found.message, at_key=found.at_key)


def _repeated(issue: Issue, issues: list[Issue]) -> bool:
    return any(issue.place == other.place and issue.message == other.message for other in issues)


def _belongs_to(issues: list[Issue], keys: Keys) -> bool:
    prefix = json_path(keys)
    below = (f"{prefix}.", f"{prefix}[")
    return any(issue.path == prefix or issue.path.startswith(below) for issue in issues)
