"""Both states as datasets, and the conversations that differ between them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.dataset.checks.checker import effective_levels
from runner.dataset.value import Dataset
from runner.examples.read import Example
from runner.issues import Issue
from runner.price import Price, price_of
from runner.review.build import Built, Prepared, Task, build_state, prepare
from runner.review.indexed import Indexed
from runner.review.names import named
from runner.review.pieces import Pieces
from runner.review.table import Differences, Pair, compare_indexes
from runner.review.value import ExampleChange, ExampleChanges
from runner.tokens.dataset import with_tokens

# One side of a comparison: a recipe to render, the dataset of a locked run, or nothing.
Part = Task | Indexed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What a dataset would be, for what a review says of it; `problems` are records that make no example."""

    dataset: Dataset
    price: Price
    problems: tuple[Issue, ...] = ()


def render_both(
    before: Part, after: Part, folder: Path, limit: int
) -> tuple[Rendered | None, Rendered | None, ExampleChanges | None]:
    """Render two states and compare their conversations; `folder` takes temporary files.

    States that make the same conversations from the same files are rendered once, or not at all where an
    earlier build did. The changes are None where a locked run's conversations are not on this machine.
    """
    built = _build_both(before, after, folder)
    rendered = [_rendered(side) if isinstance(side, Built) else None for side in built]
    indexes = [side.indexed if isinstance(side, Built) else side for side in built]
    if not all(index is None or index.is_here for index in indexes):
        return rendered[0], rendered[1], None
    found = compare_indexes(indexes[0], indexes[1], folder / "rows.sqlite", limit)
    changes = _changes(found, *_load_both(built, found, folder / "piece"))
    return rendered[0], rendered[1], changes


def _build_both(before: Part, after: Part, folder: Path) -> "list[Built | Indexed | None]":
    """Build what is a recipe. What both make of the same piece of a source is made once."""
    parts = [prepare(part) if isinstance(part, Task) else part for part in (before, after)]
    old, new = parts
    if isinstance(old, Prepared) and isinstance(new, Prepared):
        if old.key == new.key is not None:
            built = build_state(new, folder / "after", None)
            # The same files, but perhaps at another price.
            return [Built(task=old.task, dataset=built.dataset, problems=built.problems), built]
        if old.manner == new.manner:
            with Pieces(folder / "pieces") as pieces:
                return [
                    build_state(old, folder / "before", pieces),
                    build_state(new, folder / "after", pieces),
                ]
    names = ("before", "after")
    return [
        build_state(part, folder / name, None) if isinstance(part, Prepared) else part
        for name, part in zip(names, parts, strict=True)
    ]


def _rendered(built: Built) -> Rendered:
    task = built.task
    loaded, host = task.loaded, task.host
    levels, longest = effective_levels(loaded.recipe.checks), task.limits.max_example_tokens
    dataset = with_tokens(built.dataset, task.exact, task.state, longest, levels, task.watch)
    price = price_of(loaded.recipe, dataset, host, host.model(loaded.root_model))
    return Rendered(dataset=dataset, price=price, problems=built.problems)


def _load_both(
    sides: "Sequence[Built | Indexed | None]", found: Differences, folder: Path
) -> tuple[dict[int, Example], dict[int, Example]]:
    """The conversations at places of both indexes, with the names of their records where a recipe tells."""
    before = _examples(sides[0], [pair.before for pair in found.pairs])
    after = _examples(sides[1], [pair.after for pair in found.pairs])
    if isinstance(sides[1], Built):
        after = named(sides[1], after, folder)
    if isinstance(sides[0], Built):
        gone = {pair.before for pair in found.removed}
        before |= named(sides[0], {place: before[place] for place in before if place in gone}, folder)
    for pair in found.pairs:
        # A record that is on both sides has the same key there.
        if pair.before is not None and pair.after is not None:
            origin = after[pair.after]
            before[pair.before] = replace(before[pair.before], key=origin.key, variant=origin.variant)
    return before, after


def _examples(side: "Built | Indexed | None", places: Iterable[int | None]) -> dict[int, Example]:
    index = side.indexed if isinstance(side, Built) else side
    return index.examples({place for place in places if place is not None}) if index else {}


def _changes(found: Differences, before: dict[int, Example], after: dict[int, Example]) -> ExampleChanges:
    def filled(pairs: tuple[Pair, ...]) -> tuple[ExampleChange, ...]:
        return tuple(
            ExampleChange(
                before=None if pair.before is None else before[pair.before],
                after=None if pair.after is None else after[pair.after],
                side_before=pair.side_before,
                side_after=pair.side_after,
            )
            for pair in pairs
        )

    return ExampleChanges(
        n_changed=found.n_changed,
        n_added=found.n_added,
        n_removed=found.n_removed,
        n_moved=found.n_moved,
        reordered=found.reordered,
        changed=filled(found.changed),
        added=filled(found.added),
        removed=filled(found.removed),
        moved=filled(found.moved),
    )
