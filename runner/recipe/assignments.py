"""Values that an operator sets on the command line, such as `training.seed=3`, laid over a recipe last."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from runner.display import one_line, shown
from runner.errors import InvalidInputError, UsageError
from runner.issues import Issue
from runner.recipe.composition import reset_hyperparameters
from runner.recipe.yaml import Document, Keys, Mark, Scalar, read_scalar

LAYER = "--set"
_FIXED = ("version", "name", "extends", "matrix", "profiles")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One value at a dotted path; the marks say where the value and its path were written."""

    path: str
    value: Scalar
    mark: Mark
    key_mark: Mark

    @property
    def parts(self) -> list[str]:
        """The keys and list indices of the path, as text."""
        return self.path.split(".")


def parse_assignment(text: str) -> Assignment:
    """Read `a.b=c`; the value is read like an unquoted or quoted scalar in a recipe. Raises UsageError."""
    path, equals, value = text.partition("=")
    if not equals or not all(path.split(".")):
        raise UsageError(f"--set: found {shown(text)}, expected a path and a value, such as training.seed=3.")
    fixed = fixed_key(path)
    if fixed:
        raise UsageError(f"--set {one_line(path)}: a recipe's {fixed} cannot be set.")
    try:
        scalar = read_scalar(value)
    except ValueError as error:
        raise UsageError(f"--set {one_line(path)}: {error}") from None
    mark = Mark(0, 0, f"--set {one_line(path)}", LAYER)
    return Assignment(path=path, value=scalar, mark=mark, key_mark=mark)


def fixed_key(path: str) -> str | None:
    """The key at the start of a path that no command and no matrix can change."""
    key = path.split(".")[0]
    return key if key in _FIXED else None


def assign(document: Document, assignments: Iterable[Assignment]) -> Document:
    """A recipe with values set: null removes, and a new provider or model resets as in a profile.

    Raises InvalidInputError for paths that lead through text, or past the end of a list.
    """
    setting = _Setting(document)
    issues = []
    for item in assignments:
        try:
            setting.put(item)
        except ValueError as error:
            issues.append(Issue(place=item.key_mark.place, message=str(error)))
    if issues:
        raise InvalidInputError(issues)
    reset_hyperparameters(document.value, setting.stated, setting.value)
    return replace(document, value=setting.value, marks=setting.marks, key_marks=setting.key_marks)


class _Setting:
    """A recipe being changed; `stated` holds what was set below mappings, as an overlay would."""

    def __init__(self, document: Document) -> None:
        self.value: dict[str, Any] = deepcopy(document.value)
        self.stated: dict[str, Any] = {}
        self.marks = dict(document.marks)
        self.key_marks = dict(document.key_marks)

    def put(self, item: Assignment) -> None:
        """Set one value. Raises ValueError with a sentence where its path leads nowhere."""
        node: Any = self.value
        stated: Any = self.stated
        keys: Keys = ()
        for part in item.parts[:-1]:
            step = _step(node, part, keys)
            keys = (*keys, step)
            if isinstance(node, dict) and node.get(part) is None:
                node[part] = {}
                self._mark(keys, item)
            node = node[step]
            stated = stated.setdefault(part, {})
        step = _step(node, item.parts[-1], keys)
        self._forget((*keys, step))
        if item.value is not None:
            node[step] = item.value
            self._mark((*keys, step), item)
        elif isinstance(node, dict):
            node.pop(step, None)
        else:
            raise ValueError("found null for an item of a list, expected a value. Lists are replaced whole.")
        stated[item.parts[-1]] = item.value

    def _forget(self, at: Keys) -> None:
        for marks in (self.marks, self.key_marks):
            for path in [path for path in marks if path[: len(at)] == at]:
                del marks[path]

    def _mark(self, at: Keys, item: Assignment) -> None:
        self.marks[at] = item.mark
        self.key_marks[at] = item.key_mark


def _step(node: Any, part: str, keys: Keys) -> str | int:
    """The key or index that a part of a path stands for. Raises ValueError with a sentence."""
    if isinstance(node, dict):
        return part
    found = f"`{one_line('.'.join(map(str, keys)))}` is {shown(node)}"
    if not isinstance(node, list):
        raise ValueError(f"{found}, expected a mapping or a list there. Shorten the path.")
    if part.isascii() and part.isdecimal() and int(part) < len(node):
        return int(part)
    indices = ", ".join(str(index) for index in range(len(node)))
    raise ValueError(f"{found}, which has no {shown(part)}, expected one of {indices}.")
