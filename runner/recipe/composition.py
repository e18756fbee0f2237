"""Profiles laid over a recipe: mappings merge, lists replace, null removes."""

from typing import Any

from runner.recipe.yaml import Document, Mark

Keys = tuple[str | int, ...]
Mapping = dict[str, Any]

DEFAULT_PROFILE = "default"


def profile_names(document: Document) -> list[str]:
    """The names of the profiles a document declares, in order."""
    profiles = document.value.get("profiles") if isinstance(document.value, dict) else None
    return list(profiles) if isinstance(profiles, dict) else []


def without_profiles(document: Document) -> Document:
    """The recipe as it stands without any profile."""
    value = {key: item for key, item in document.value.items() if key != "profiles"}
    return Document(file=document.file, value=value, marks=document.marks, key_marks=document.key_marks)


def apply_profile(document: Document, name: str) -> Document:
    """The recipe under a profile; every value keeps the position it was written at.

    A profile that names another provider or model resets the hyperparameters to those the profile states,
    because the same number means different things to different trainers.
    """
    base = without_profiles(document)
    overlay = document.value["profiles"][name]
    if not isinstance(overlay, dict):
        return base
    merged = _Merge(document)
    value = merged.mapping(base.value, overlay, (), ("profiles", name))
    _reset_hyperparameters(base.value, overlay, value)
    return Document(file=document.file, value=value, marks=merged.marks, key_marks=merged.key_marks)


class _Merge:
    """A merge in progress: the marks of the base, replaced below every value an overlay brings."""

    def __init__(self, document: Document) -> None:
        self.written = document
        self.marks: dict[Keys, Mark] = dict(document.marks)
        self.key_marks: dict[Keys, Mark] = dict(document.key_marks)

    def mapping(self, base: Mapping, overlay: Mapping, at: Keys, origin: Keys) -> Mapping:
        result = dict(base)
        for key, value in overlay.items():
            if value is None:
                result.pop(key, None)
                continue
            where, from_where = (*at, key), (*origin, key)
            inner = base.get(key)
            if isinstance(value, dict) and isinstance(inner, dict):
                result[key] = self.mapping(inner, value, where, from_where)
            else:
                result[key] = value
                self.adopt(where, from_where)
        return result

    def adopt(self, at: Keys, origin: Keys) -> None:
        size = len(origin)
        for marks, source in ((self.marks, self.written.marks), (self.key_marks, self.written.key_marks)):
            for path in [path for path in marks if path[: len(at)] == at]:
                del marks[path]
            for path, mark in source.items():
                if path[:size] == origin:
                    marks[at + path[size:]] = mark


def _reset_hyperparameters(base: Mapping, overlay: Mapping, value: Mapping) -> None:
    before, after, stated = (part.get("training") for part in (base, value, overlay))
    if not (isinstance(before, dict) and isinstance(after, dict) and isinstance(stated, dict)):
        return
    if all(before.get(key) == after.get(key) for key in ("provider", "model")):
        return
    hyperparameters = stated.get("hyperparameters")
    if isinstance(hyperparameters, dict):
        after["hyperparameters"] = {key: item for key, item in hyperparameters.items() if item is not None}
    else:
        after.pop("hyperparameters", None)
