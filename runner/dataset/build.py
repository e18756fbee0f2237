"""Examples, checked and split as they stream past, to the files that will be uploaded."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from runner.canonical import sha256_bytes, write_atomically
from runner.dataset.checks import Checker
from runner.dataset.inputs import Inputs
from runner.dataset.split import side_of
from runner.dataset.value import Dataset
from runner.dataset.write import ExampleWriter
from runner.errors import InvalidInputError
from runner.examples.read import Example
from runner.issues import Issue, Place
from runner.recipe.model import Recipe

SHOWN_ISSUES = 20


def build_dataset(
    recipe: Recipe,
    examples: Iterable[Example | Issue],
    inputs: Inputs,
    folder: Path,
    checker: Checker,
) -> Dataset:
    """Write the training and validation files of a recipe into `folder`, named by their hashes.

    Findings, errors among them, are part of the result; nothing is written for a side without examples but
    the training file. Raises InvalidInputError when records could not be turned into examples.
    """
    issues: list[Issue] = []
    index: list[str] = []
    records: set[str] = set()
    with ExitStack() as stack:
        writers = {side: stack.enter_context(ExampleWriter(folder)) for side in ("training", "validation")}
        for example in examples:
            if isinstance(example, Issue):
                issues.append(example)
                continue
            side = side_of(example.key if example.group is None else example.group, recipe.split)
            n_tokens = checker.counter.count(example.messages)
            checker.observe(example, side, n_tokens)
            writers[side].write(example.messages, n_tokens)
            index.append(index_line(example, side))
            records.add(example.key)
        if issues:
            raise InvalidInputError(shortened(issues))
        exact = checker.counter.margin == 0
        training, validation = writers["training"], writers["validation"]
        findings = checker.findings(
            training.n_examples,
            validation.n_examples,
            split_asked=recipe.split.validation > 0,
            keyed=recipe.key is not None,
        )
        return Dataset(
            folder=folder,
            training_file=training.finish(tokens_exact=exact),
            validation_file=validation.finish(tokens_exact=exact) if validation.n_examples else None,
            sources=inputs.sources,
            templates=inputs.templates,
            findings=tuple(findings),
            n_records=len(records),
            index=_write_index(folder, index),
        )


def index_line(example: Example, side: str) -> str:
    """One line of the table that later tells which records changed: hashed key, hashed content, side."""
    identity = sha256_bytes(f"{example.key}\0{example.variant}".encode())[:32]
    return f"{identity} {example.digest[:32]} {side}\n"


def shortened(issues: list[Issue]) -> list[Issue]:
    """The first issues, and one that counts the rest."""
    rest = len(issues) - SHOWN_ISSUES
    if rest <= 0:
        return issues
    file = issues[SHOWN_ISSUES].place.file
    more = Issue(
        place=Place(file=file), message=f"{rest} more problems like these. Fix the first ones and repeat."
    )
    return [*issues[:SHOWN_ISSUES], more]


def _write_index(folder: Path, lines: list[str]) -> str:
    content = "".join(lines).encode("ascii")
    name = sha256_bytes(content)
    path = folder / f"{name}.index"
    if not path.exists():
        write_atomically(path, content)
    return name
