"""Recipes laid over one another: mappings merge, lists replace, null removes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from runner.recipe.yaml import Document, Keys, Mark

Mapping = dict[str, Any]
Files = Sequence[Document]

DEFAULT_PROFILE = "default"
# What says how a recipe is composed, and is no part of the result.
_COMPOSING = ("extends", "profiles")


def profile_names(files: Files) -> list[str]:
    """The names of the profiles that files declare and no later one removes, in order."""
    stated: dict[str, Any] = {}
    for file in files:
        stated |= _profiles(file)
    return [name for name, value in stated.items() if value is not None]


def without_profiles(files: Files) -> Document:
    """The recipe as it stands without any profile: every file laid over those it extends, which come first.

    A file that names another provider or model than those before it resets the hyperparameters as a profile
    does.
    """
    result, *rest = (_plain(file) for file in files)
    for file in rest:
        merged = lay_over(result, file)
        # A key that is missing in a merged mapping is missed where the last file writes that mapping.
        result = replace(
            merged,
            file=file.file,
            marks={**merged.marks, **file.marks},
            key_marks={**merged.key_marks, **file.key_marks},
        )
    return result


def apply_profile(files: Files, name: str) -> Document:
    """The recipe under a profile: what each file states for it, laid over the whole recipe in turn."""
    result = without_profiles(files)
    for overlay in _overlays(files, name):
        result = lay_over(result, overlay)
    return result


def lay_over(base: Document, overlay: Document) -> Document:
    """A document with another laid over it; every value keeps the position it was written at.

    An overlay that names another provider or model resets the hyperparameters to those it states, because
    the same number means different things to different trainers.
    """
    merge = _Merge(base, overlay)
    value = merge.mapping(base.value, overlay.value, ())
    reset_hyperparameters(base.value, overlay.value, value)
    return replace(base, value=value, marks=merge.marks, key_marks=merge.key_marks)


def reset_hyperparameters(base: Mapping, overlay: Mapping, value: Mapping) -> None:
    """Drop from `value`, which is `overlay` over `base`, what was meant for another provider or model."""
    before, after, stated = (part.get("training") for part in (base, value, overlay))
    if not (isinstance(before, dict) and isinstance(after, dict) and isinstance(stated, dict)):
        return
    if all(before.get(key, default) == after.get(key, default) for key, default in _TRAINER.items()):
        return
    hyperparameters = stated.get("hyperparameters")
    if isinstance(hyperparameters, dict):
        after["hyperparameters"] = {key: item for key, item in hyperparameters.items() if item is not None}
    else:
        after.pop("hyperparameters", None)


# What the hyperparameters are meant for, with the defaults of the language.
_TRAINER = {"provider": "local", "model": None}


class _Merge:
    """A merge in progress: the marks of the base, replaced below every value an overlay brings."""

    def __init__(self, base: Document, overlay: Document) -> None:
        self.overlay = overlay
        self.marks: dict[Keys, Mark] = dict(base.marks)
        self.key_marks: dict[Keys, Mark] = dict(base.key_marks)

    def mapping(self, base: Mapping, overlay: Mapping, at: Keys) -> Mapping:
        result = dict(base)
        for key, value in overlay.items():
            if value is None:
                result.pop(key, None)
                continue
            where, inner = (*at, key), base.get(key)
            if isinstance(value, dict) and isinstance(inner, dict):
                result[key] = self.mapping(inner, value, where)
            else:
                result[key] = value
                self.adopt(where)
        return result

    def adopt(self, at: Keys) -> None:
        for marks, source in (
            (self.marks, self.overlay.marks),
            (self.key_marks, self.overlay.key_marks),
        ):
            for path in [path for path in marks if path[: len(at)] == at]:
                del marks[path]
            marks |= {path: mark for path, mark in source.items() if path[: len(at)] == at}


def _profiles(file: Document) -> Mapping:
    profiles = file.value.get("profiles")
    return profiles if isinstance(profiles, dict) else {}


def _plain(file: Document) -> Document:
    return replace(file, value={key: item for key, item in file.value.items() if key not in _COMPOSING})


def _overlays(files: Files, name: str) -> list[Document]:
    found: list[Document] = []
    for file in files:
        value = _profiles(file).get(name, {})
        if value is None:
            found = []
        elif isinstance(value, dict) and value:
            found.append(_overlay(file, value, ("profiles", name)))
    return found


def _overlay(file: Document, value: Mapping, at: Keys) -> Document:
    """A part of a file as a document of its own, laid over a recipe as a profile."""

    def below(marks: dict[Keys, Mark]) -> dict[Keys, Mark]:
        layer = f"profile {at[-1]}"
        return {
            path[len(at) :]: replace(mark, layer=layer)
            for path, mark in marks.items()
            if path[: len(at)] == at
        }

    return replace(file, value=value, marks=below(file.marks), key_marks=below(file.key_marks))
