"""Reads the questions of an evaluation, and leaves out what the model was as good as trained on."""

from collections.abc import Sequence
from dataclasses import replace

from runner.dataset.build import shortened
from runner.dataset.near_texts import MAX_RECORDS
from runner.dataset.split import side_of
from runner.errors import InvalidInputError, RunnerError
from runner.evaluation.items import Item, chosen, item_of, set_sha256
from runner.evaluation.leaks import find_leaks, overlap
from runner.evaluation.value import Questions
from runner.examples.confinement import read_confined
from runner.examples.read import Example
from runner.issues import Issue
from runner.recipe.load import LoadedRecipe
from runner.recipe.model import Evaluation as Section
from runner.recipe.model import Source
from runner.sources.read import find_source_files


def read_questions(loaded: LoadedRecipe, section: Section) -> tuple[list[Example], list[Example]]:
    """The training examples of a recipe, and those that are asked. Raises InvalidInputError."""
    split = loaded.recipe.split
    sides: dict[str, list[Example]] = {"training": [], "validation": []}
    for example in read_all(loaded, loaded.recipe.sources):
        sides[side_of(example.key if example.group is None else example.group, split)].append(example)
    if not section.sources:
        return sides["training"], sides[section.on]
    issues = []
    for index, source in enumerate(section.sources):
        try:
            find_source_files(source, loaded.folder, loaded.project)
        except InvalidInputError as error:
            keys = ("evaluation", "sources", index, *(("path",) if source.path else ()))
            issues += [loaded.issue(keys, f"{issue.place}: {issue.message}") for issue in error.issues]
    if issues:
        raise InvalidInputError(issues)
    return sides["training"], read_all(loaded, section.sources)


def read_all(loaded: LoadedRecipe, sources: tuple[Source, ...]) -> list[Example]:
    """The examples of some sources, with their fields, each once whatever the weight of its source.

    Raises InvalidInputError with all problems.
    """
    recipe = replace(loaded.recipe, sources=sources)
    found = list(read_confined(recipe, loaded.folder, loaded.project, with_fields=True))
    issues = [item for item in found if isinstance(item, Issue)]
    if issues:
        raise InvalidInputError(shortened(issues))
    return [item for item in found if not isinstance(item, Issue) and not item.is_copy]


def choose_questions(
    asked: Sequence[Example], training: Sequence[Example], section: Section, *, looks: bool | None
) -> tuple[tuple[Item, ...], Questions]:
    """The items that are asked, and what is said of them.

    Leaks are looked for where `looks` says so; where it says nothing, among up to MAX_RECORDS. Raises
    RunnerError where nothing is left to ask.
    """
    items = [item for item in map(item_of, asked) if item is not None]
    on = "sources" if section.sources else section.on
    # Whoever asks what was trained on wants to know what is remembered.
    looks = on != "training" and (len(training) <= MAX_RECORDS if looks is None else looks)
    leaks = find_leaks(items, training) if looks else []
    left_out = {leak.identity for leak in leaks}
    kept = chosen([item for item in items if item.identity not in left_out], section.limit)
    if not kept:
        all_of_them = "The only one nearly repeats" if len(leaks) == 1 else f"All {len(leaks)} nearly repeat"
        more = f" {all_of_them} training records." if leaks else ""
        advice = (
            "Add records to `evaluation.sources`."
            if section.sources
            else ("Raise `split.validation`, or add records.")
        )
        raise RunnerError(f"there are no questions to ask.{more} {advice}")
    shared = overlap(kept, training) if looks else None
    questions = Questions(
        on=on,
        sha256=set_sha256(kept),
        n=len(kept),
        left_out=tuple(leaks),
        overlap=shared,
        leaks_checked=looks,
    )
    return kept, questions
