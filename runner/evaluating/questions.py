"""Reads the questions of an evaluation, and leaves out what the model was as good as trained on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from runner.dataset.build import shortened
from runner.dataset.near_texts import MAX_RECORDS
from runner.dataset.split import side_of
from runner.errors import InvalidInputError, RunnerError
from runner.evaluation.items import Item, chosen, item_of, set_sha256
from runner.evaluation.leaks import Examples, find_leaks, overlap
from runner.evaluation.value import Questions
from runner.examples.confinement import read_confined
from runner.examples.read import Example
from runner.issues import Issue
from runner.recipe.load import LoadedRecipe
from runner.recipe.model import Evaluation as Section
from runner.recipe.model import Source
from runner.sources.find import find_source_files


@dataclass(frozen=True, slots=True)
class TrainingRecords:
    """The training examples of a recipe, `n` of them, read again each time they are gone through."""

    loaded: LoadedRecipe
    n: int

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[Example]:
        examples = _examples(self.loaded, self.loaded.recipe.sources)
        return (example for example in examples if _trains(self.loaded, example))


def read_questions(
    loaded: LoadedRecipe, section: Section, *, keeps_training: bool
) -> tuple[Examples, list[Example]]:
    """The training examples of a recipe, and those that are asked. Raises InvalidInputError.

    More than MAX_RECORDS training examples are not kept in memory, but read again where they are needed,
    unless `keeps_training` or they are what is asked.
    """
    keeps = keeps_training or (section.on == "training" and not section.sources)
    training: list[Example] = []
    validation: list[Example] = []
    n_training = 0
    for example in _examples(loaded, loaded.recipe.sources):
        if not _trains(loaded, example):
            if not section.sources:
                validation.append(example)
            continue
        n_training += 1
        if keeps or n_training <= MAX_RECORDS:
            training.append(example)
        else:
            training.clear()
    found = training if len(training) == n_training else TrainingRecords(loaded, n_training)
    if section.sources:
        return found, _read_asked(loaded, section)
    return found, training if section.on == "training" else validation


def _trains(loaded: LoadedRecipe, example: Example) -> bool:
    identity = example.key if example.group is None else example.group
    return side_of(identity, loaded.recipe.split) == "training"


def _read_asked(loaded: LoadedRecipe, section: Section) -> list[Example]:
    """The records of `evaluation.sources`. Raises InvalidInputError, also for files that are not there."""
    issues = []
    for index, source in enumerate(section.sources):
        try:
            find_source_files(source, loaded.folder, loaded.project)
        except InvalidInputError as error:
            keys = ("evaluation", "sources", index, *(("path",) if source.path else ()))
            issues += [loaded.issue(keys, f"{issue.place}: {issue.message}") for issue in error.issues]
    if issues:
        raise InvalidInputError(issues)
    return read_all(loaded, section.sources)


def read_all(loaded: LoadedRecipe, sources: tuple[Source, ...]) -> list[Example]:
    """The examples of some sources, with their fields, each once whatever the weight of its source.

    Raises InvalidInputError with all problems.
    """
    return list(_examples(loaded, sources))


def _examples(loaded: LoadedRecipe, sources: tuple[Source, ...]) -> Iterator[Example]:
    """The same one by one; the problems are raised after the last."""
    recipe = replace(loaded.recipe, sources=sources)
    issues = []
    for found in read_confined(recipe, loaded.folder, loaded.project, with_fields=True):
        if isinstance(found, Issue):
            issues.append(found)
        elif not found.is_copy:
            yield found
    if issues:
        raise InvalidInputError(shortened(issues))


def choose_questions(
    asked: Sequence[Example], training: Examples, section: Section, *, looks: bool | None
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
