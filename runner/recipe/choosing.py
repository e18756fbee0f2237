"""Which combinations of a recipe's matrix a command is about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from runner.display import one_line, shown
from runner.errors import UsageError
from runner.hints import did_you_mean, listed
from runner.recipe.composition import DEFAULT_PROFILE
from runner.recipe.load import LoadedRecipe
from runner.recipe.matrix import Choice
from runner.recipe.model import Recipe
from runner.recipe.yaml import read_scalar


def chosen(loaded: LoadedRecipe, only: Sequence[str]) -> tuple[LoadedRecipe, ...]:
    """The combinations that pass filters such as `n_epochs=3`, all without one; the recipe where it has none.

    Filters on one key add up, those on several keys restrict each other. Raises UsageError.
    """
    if not loaded.combinations:
        if only:
            raise UsageError(f"--only: {loaded.run_name} has no `matrix` to choose from.")
        return (loaded,)
    wanted: dict[str, list[Choice]] = {}
    for text in only:
        found = _matching(loaded, text)
        wanted.setdefault(found[0].assignment.path, []).extend(found)
    return tuple(
        each
        for each in loaded.combinations
        if all(any(choice in each.choices for choice in choices) for choices in wanted.values())
    )


def single(loaded: LoadedRecipe, only: Sequence[str]) -> LoadedRecipe:
    """The one run that a command is about. Raises UsageError that names the combinations there are."""
    found = chosen(loaded, only)
    if len(found) == 1:
        return found[0]
    names = listed(each.combination.name for each in found if each.combination)
    first = " ".join(f"--only {choice}" for choice in found[0].choices)
    raise UsageError(
        f"{loaded.run_name} has {len(found)} combinations: {names}. Choose one, such as {first}."
    )


def run_called(profiles: Mapping[str, LoadedRecipe], run_key: str) -> LoadedRecipe:
    """The recipe of a run by its name in the lockfile; one that the recipe has no more keeps the name."""
    runs = (each for loaded in profiles.values() for each in (loaded, *loaded.combinations))
    default = profiles[DEFAULT_PROFILE]
    named = next((each for each in runs if each.run_key == run_key), replace(default, profile=run_key))
    return replace(named, combinations=())


def with_one_dataset(loaded: LoadedRecipe, only: Sequence[str]) -> LoadedRecipe:
    """Any of the chosen combinations, where all make one dataset. Raises UsageError where they do not."""
    first, *rest = chosen(loaded, only)

    def data(each: LoadedRecipe) -> Recipe:
        return replace(each.recipe, training=first.recipe.training, limits=first.recipe.limits)

    return first if all(data(each) == first.recipe for each in rest) else single(loaded, only)


def _matching(loaded: LoadedRecipe, text: str) -> list[Choice]:
    """The choice that a filter means. Raises UsageError."""
    key, equals, value = text.partition("=")
    known = list(dict.fromkeys(choice for each in loaded.combinations for choice in each.choices))
    if not equals:
        raise UsageError(f"--only: found {shown(text)}, expected a key and a value, such as {known[0]}.")
    of_key = [choice for choice in known if key in (choice.name, choice.assignment.path)]
    if not of_key:
        near = did_you_mean(key, {choice.name for choice in known})
        raise UsageError(f"--only: found no key {shown(key)} in the matrix. {near}")
    found = [choice for choice in of_key if value == choice.text or _is_value(value, choice)]
    if not found:
        values = ", ".join(choice.text for choice in of_key)
        raise UsageError(f"--only {one_line(text)}: expected one of the matrix's values, {one_line(values)}.")
    return found


def _is_value(text: str, choice: Choice) -> bool:
    try:
        value = read_scalar(text)
    except ValueError:
        return False
    return (value, isinstance(value, bool)) == (
        choice.assignment.value,
        isinstance(choice.assignment.value, bool),
    )
