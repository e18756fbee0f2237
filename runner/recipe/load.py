"""A recipe file, read, checked and parsed."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.display import shown
from runner.errors import InvalidInputError, UnknownProfileError, UsageError
from runner.hints import command, did_you_mean
from runner.issues import Issue, json_path
from runner.project import Project, find_project
from runner.recipe.assignments import Assignment, assign, parse_assignment
from runner.recipe.composition import DEFAULT_PROFILE, apply_profile, profile_names, without_profiles
from runner.recipe.extending import beside, read_files
from runner.recipe.matrix import Choice, Combination, combinations, without_matrix
from runner.recipe.model import Recipe, RecipeModel
from runner.recipe.parse import parse_recipe
from runner.recipe.yaml import Document, Keys
from runner.schema import Violation, violations

# Commands that are about all combinations of a recipe.
WITHOUT_ONLY = ("diff", "history", "refresh", "port")


@dataclass(frozen=True, kw_only=True)
class LoadedRecipe:
    """A recipe under one profile, with `assignments` laid over it, and where it was read from.

    `given` is the path as it was typed; `base` is the recipe whose result it trains further, where its model
    is one. A recipe with a matrix has `combinations`, each of which has a `combination`.
    """

    recipe: Recipe
    profile: str
    path: Path
    project: Project
    document: Document
    given: Path
    assignments: tuple[str, ...] = ()
    base: "LoadedRecipe | None" = None
    combinations: "tuple[LoadedRecipe, ...]" = ()
    combination: Combination | None = None

    @property
    def file(self) -> str:
        """The name of the recipe's file in messages."""
        return self.document.file

    @property
    def run_key(self) -> str:
        """What a run is called in the lockfile: the profile, and the combination where there is one."""
        return f"{self.profile}[{self.combination.name}]" if self.combination else self.profile

    @property
    def run_name(self) -> str:
        """What a run is called beside those of other recipes."""
        name = _link(self.project.name_of(self.path), self.profile)
        return f"{name} [{self.combination.name}]" if self.combination else name

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The values that make up its combination."""
        return self.combination.choices if self.combination else ()

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

    @property
    def lock_file(self) -> str:
        """The name of the lockfile in messages."""
        return self.project.name_of(self.lock_path)

    def command(self, name: str, *options: str) -> str:
        """A command about this recipe as it has to be typed, in backticks."""
        stated = self.assignments if name in ("plan", "run") else ()
        laid_over = [part for text in stated for part in ("--set", text)]
        choices = () if name in WITHOUT_ONLY else self.choices
        chosen = [part for choice in choices for part in ("--only", str(choice))]
        return command(name, str(self.given), *laid_over, *chosen, *options, profile=self.profile)

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
    reader = _Reader()
    found = {
        name: reader.with_bases(variant) for name, variant in reader.read(path, profile, assignments).items()
    }
    if reader.issues:
        raise InvalidInputError(in_reading_order(reader.issues, found[DEFAULT_PROFILE].file))
    return found


class _Reader:
    """Reads a recipe and those it builds on, each file once; what stands in their way adds up in `issues`."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.bases: dict[Path, dict[str, LoadedRecipe]] = {}

    def read(self, path: Path, profile: str, assignments: Sequence[str]) -> dict[str, LoadedRecipe]:
        """Every profile of a file, with its combinations. Raises as `load_profiles` does."""
        stated = [parse_assignment(text) for text in assignments]
        project = find_project(path)
        files = read_files(path, project)
        variants = _checked_variants(files, profile, stated)

        def loaded(name: str, variant: _Variant) -> LoadedRecipe:
            return LoadedRecipe(
                recipe=parse_recipe(variant.document.value),
                profile=name,
                path=path.resolve(),
                given=path,
                project=project,
                document=variant.document,
                assignments=tuple(assignments) if name == profile else (),
                combination=variant.combination,
            )

        return {
            name: replace(loaded(name, first), combinations=tuple(loaded(name, item) for item in rest))
            for name, (first, *rest) in variants.items()
        }

    def with_bases(self, loaded: LoadedRecipe) -> LoadedRecipe:
        """The recipe and its combinations with all that they are built on."""
        combinations = tuple(self._with_base(each, ()) for each in loaded.combinations)
        return replace(self._with_base(loaded, ()), combinations=combinations)

    def _with_base(self, loaded: LoadedRecipe, chain: tuple[str, ...]) -> LoadedRecipe:
        model = loaded.recipe.training.model
        if isinstance(model, str):
            return loaded
        chain = (*chain, _link(loaded.file, loaded.profile))
        try:
            return replace(loaded, base=self._with_base(self._find_base(loaded, model, chain), chain))
        except InvalidInputError as error:
            self.issues += [issue for issue in error.issues if not _repeated(issue, self.issues)]
        return loaded

    def _find_base(self, loaded: LoadedRecipe, model: RecipeModel, chain: tuple[str, ...]) -> LoadedRecipe:
        def refusal(key: str, message: str) -> InvalidInputError:
            led = f" Needed by {' → '.join(chain)}." if len(chain) > 1 else ""
            return InvalidInputError([loaded.issue(("training", "model", key), f"{message}{led}")])

        path = beside(model.recipe, loaded.folder, loaded.project)
        if isinstance(path, str):
            raise refusal("recipe", path)
        file = loaded.project.name_of(path)
        link = _link(file, model.profile)
        if link in chain:
            circle = " → ".join((*chain, link))
            message = (
                f"found a circle ({circle}), expected recipes that do not lead back. Change one `model`."
            )
            raise InvalidInputError([loaded.issue(("training", "model", "recipe"), message)])
        if path not in self.bases:
            self.bases[path] = self.read(path, DEFAULT_PROFILE, ())
        variants = self.bases[path]
        if model.profile not in variants:
            near = did_you_mean(model.profile, variants)
            raise refusal("profile", f"found no profile {shown(model.profile)} in {file}. {near}")
        found = variants[model.profile]
        if found.combinations:
            message = (
                f"found {len(found.combinations)} combinations in {link}, expected one run. "
                "Build on a profile of it that says `matrix: null` and states the values."
            )
            raise refusal("recipe", message)
        return replace(found, given=Path(os.path.normpath(loaded.given.parent / model.recipe)))


@dataclass(frozen=True, kw_only=True)
class _Variant:
    """A composed document: a recipe, or one of its combinations."""

    document: Document
    combination: Combination | None = None


def _checked_variants(
    files: Sequence[Document], profile: str, stated: Sequence[Assignment]
) -> dict[str, list[_Variant]]:
    """By profile the recipe, then its combinations. Raises InvalidInputError with all problems."""
    issues = [issue for index, file in enumerate(files) for issue in _composing_issues(file, files[:index])]
    documents = {DEFAULT_PROFILE: without_profiles(files)}
    for name in profile_names(files):
        if not _belongs_to(issues, ("profiles", name)):
            documents[name] = apply_profile(files, name)
    variants = {
        name: _variants(document, stated if name == profile else []) for name, document in documents.items()
    }
    for variant in (item for listed in variants.values() for item in listed):
        issues += [issue for issue in _schema_issues(variant.document) if not _repeated(issue, issues)]
    if issues:
        raise InvalidInputError(in_reading_order(issues, files[-1].file))
    return variants


def _variants(document: Document, stated: Sequence[Assignment]) -> list[_Variant]:
    """The recipe itself, then its combinations, with values set over both."""
    varied = document.value.get("matrix")
    for item in stated:
        if isinstance(varied, dict) and item.path in varied:
            raise UsageError(f"--set {item.path}: the matrix varies it. Choose one value with --only.")
    return [
        _Variant(document=assign(document, stated)),
        *(
            _Variant(
                document=without_matrix(assign(document, (*each.assignments, *stated))), combination=each
            )
            for each in combinations(document)
        ),
    ]


def _link(file: str, profile: str) -> str:
    return file if profile == DEFAULT_PROFILE else f"{file} (profile {profile})"


def in_reading_order(issues: Iterable[Issue], first: str) -> list[Issue]:
    """Issues by file and position, those of one file before all others."""

    def position(issue: Issue) -> tuple[bool, str, int, int, str]:
        place = issue.place
        return (place.file != first, place.file, place.line or 0, place.column or 0, issue.message)

    return sorted(issues, key=position)


_COMPOSING = ("version", "extends", "profiles")


def _composing_issues(file: Document, bases: Sequence[Document]) -> list[Issue]:
    """Problems of the keys that every file states for itself."""
    value = {key: file.value[key] for key in _COMPOSING if key in file.value}
    if isinstance(value.get("profiles"), dict):
        known = profile_names(bases)
        kept = {name: item for name, item in value["profiles"].items() if item or name not in known}
        value["profiles"] = kept
    return [_issue(file, found) for found in violations("recipe", value, within=_COMPOSING)]


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
