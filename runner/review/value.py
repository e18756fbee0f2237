"""A review as a value: what differs between two states of a recipe, and how much."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from runner.dataset.split import Side
from runner.dataset.value import DatasetFile, Finding, InputFile
from runner.examples.read import Example
from runner.issues import Issue
from runner.price import Price

Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One value of the recipe, or one recorded in a lockfile, that is another; None where it is not there."""

    path: str
    kind: Kind
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class Hashed:
    """A value of which a lockfile keeps only the hash."""

    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Values by path. Those in `defaults` were not chosen: on one side alone they are no news."""

    values: Mapping[str, Any] = field(default_factory=dict)
    defaults: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleChange:
    """One conversation that is not the same on both sides, or not on the same side of the split."""

    before: Example | None = None
    after: Example | None = None
    side_before: Side | None = None
    side_after: Side | None = None

    @property
    def example(self) -> Example:
        """The conversation as it is now, or as it last was."""
        example = self.after or self.before
        if example is None:
            raise AssertionError("BUG: a change of nothing")
        return example


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleChanges:
    """How many conversations differ, and the first few of each kind in the order of the sources."""

    n_changed: int = 0
    n_added: int = 0
    n_removed: int = 0
    n_moved: int = 0
    reordered: bool = False
    changed: tuple[ExampleChange, ...] = ()
    added: tuple[ExampleChange, ...] = ()
    removed: tuple[ExampleChange, ...] = ()
    moved: tuple[ExampleChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.n_changed or self.n_added or self.n_removed or self.n_moved or self.reordered)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckChange:
    """How often a check fired before and after."""

    before: Finding | None
    after: Finding | None

    @property
    def finding(self) -> Finding:
        """What the check says now, or last said."""
        finding = self.after or self.before
        if finding is None:
            raise AssertionError("BUG: a change of nothing")
        return finding


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A source or template file that has other bytes, or is on one side alone."""

    before: InputFile | None
    after: InputFile | None

    @property
    def file(self) -> InputFile:
        """The file as it is now, or as it last was."""
        file = self.after or self.before
        if file is None:
            raise AssertionError("BUG: a change of nothing")
        return file


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChange:
    """Another profile that changed; `paths` are values that this review does not show as changed already."""

    name: str
    kind: Kind
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One side of a review; what it does not know is None. `problems` are records that make no example."""

    label: str
    settings: Settings = Settings()
    files: Mapping[str, InputFile] = field(default_factory=dict)
    training_file: DatasetFile | None = None
    validation_file: DatasetFile | None = None
    n_records: int | None = None
    price: Price | None = None
    findings: tuple[Finding, ...] | None = None
    problems: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """All that differs between two states.

    `examples` is None where the conversations of a lockfile are not on this machine; `note` then says what is
    known of them.
    """

    name: str
    profile: str
    before: State
    after: State
    changes: tuple[Change, ...] = ()
    files: tuple[FileChange, ...] = ()
    profiles: tuple[ProfileChange, ...] = ()
    examples: ExampleChanges | None = None
    checks: tuple[CheckChange, ...] = ()
    problems_gained: tuple[Issue, ...] = ()
    problems_lost: tuple[Issue, ...] = ()
    note: str | None = None

    @property
    def is_changed(self) -> bool:
        """Whether anything differs that a reader should know of."""
        found = (
            *(self.changes, self.profiles, self.files, self.examples, self.note, self.checks),
            *(self.problems_gained, self.problems_lost),
        )
        return any(map(bool, found))
