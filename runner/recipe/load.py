"""A recipe file, read, checked and parsed."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.display import shown
from runner.errors import InvalidInputError, RunnerError
from runner.hints import command, did_you_mean
from runner.issues import Issue, json_path
from runner.project import Project, find_project
from runner.recipe.assignments import assign, parse_assignment
from runner.recipe.composition import DEFAULT_PROFILE, apply_profile, profile_names, without_profiles
from runner.recipe.extending import beside, read_files
from runner.recipe.model import Recipe, RecipeModel
from runner.recipe.parse import parse_recipe
from runner.recipe.yaml import Document, Keys
from runner.schema import Violation, violations


@dataclass(frozen=True, kw_only=True)
class LoadedRecipe:
    """A recipe under one profile, with `assignments` laid over it, and where it was read from.

    `given` is the path as it was typed; `base` is the recipe whose result it trains further, where its model
    is one.
    """

    recipe: Recipe
    profile: str
    path: Path
    project: Project
    document: Document
    given: Path
    assignments: tuple[str, ...] = ()
    base: "LoadedRecipe | None" = None

    @property
    def file(self) -> str:
        """The name of the recipe's file in messages."""
        return self.document.file

    @property
    def run_name(self) -> str:
        """What to call a run of this recipe under its profile."""
        return _link(self.project.name_of(self.path), self.profile)

    @property
    def root_model(self) -> str:
        """The name of the model that the first of all recipes that lead here starts from."""
        model = self.recipe.training.model
        if isinstance(model, str):
            return model
        if self.base is None:
            raise AssertionError("BUG: a recipe without the one it is based on")
        return self.base.root_model

    @property
    def lineage(self) -> "tuple[LoadedRecipe, ...]":
        """The recipes that lead here, the first one first, and this one."""
        return (*(self.base.lineage if self.base else ()), self)

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
        raise RunnerError(
            f"{path}: found no profile '{profile}'. {did_you_mean(profile, list(loaded))} "
            "Profiles stand under `profiles:`."
        )
    return loaded[profile]


def load_profiles(
    path: Path, profile: str = DEFAULT_PROFILE, assignments: Sequence[str] = ()
) -> dict[str, LoadedRecipe]:
    """Read a recipe under every profile, the default first, as `load_recipe` does."""
    variants = _load_variants(path, profile, assignments)
    issues: list[Issue] = []
    found = {name: _with_base(variant, issues, ()) for name, variant in variants.items()}
    if issues:
        raise InvalidInputError(in_reading_order(issues, found[DEFAULT_PROFILE].file))
    return found


def _load_variants(path: Path, profile: str, assignments: Sequence[str]) -> dict[str, LoadedRecipe]:
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


def _with_base(loaded: LoadedRecipe, issues: list[Issue], chain: tuple[str, ...]) -> LoadedRecipe:
    """The recipe with all that it is based on; what stands in the way is added to the issues."""
    model = loaded.recipe.training.model
    if isinstance(model, str):
        return loaded
    chain = (*chain, _link(loaded.file, loaded.profile))
    try:
        return replace(loaded, base=_with_base(_find_base(loaded, model, chain), issues, chain))
    except InvalidInputError as error:
        issues += [issue for issue in error.issues if not _repeated(issue, issues)]
    return loaded


def _find_base(loaded: LoadedRecipe, model: RecipeModel, chain: tuple[str, ...]) -> LoadedRecipe:
    path = beside(model.recipe, loaded.folder, loaded.project)
    led = f" Needed by {' → '.join(chain)}." if len(chain) > 1 else ""
    keys = ("training", "model", "recipe")
    if isinstance(path, str):
        raise InvalidInputError([loaded.issue(keys, f"{path}{led}")])
    link = _link(loaded.project.name_of(path), model.profile)
    if link in chain:
        circle = " → ".join((*chain, link))
        message = f"found a circle ({circle}), expected recipes that do not lead back. Change one `model`."
        raise InvalidInputError([loaded.issue(keys, message)])
    variants = _load_variants(path, DEFAULT_PROFILE, ())
    if model.profile not in variants:
        near = did_you_mean(model.profile, variants)
        message = f"found no profile {shown(model.profile)} in {loaded.project.name_of(path)}. {near}{led}"
        raise InvalidInputError([loaded.issue((*keys[:2], "profile"), message)])
    return replace(variants[model.profile], given=Path(os.path.normpath(loaded.given.parent / model.recipe)))


def _link(file: str, profile: str) -> str:
    return file if profile == DEFAULT_PROFILE else f"{file} (profile {profile})"


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
