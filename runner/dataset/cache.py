"""What a build made of which inputs, so that the same inputs are not built twice."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runner.canonical import canonical_json, sha256_of, write_atomically
from runner.dataset.checks import DatasetLimits
from runner.dataset.inputs import Inputs
from runner.dataset.tokens import TokenCounter
from runner.dataset.value import Dataset, DatasetFile, Finding, InputFile
from runner.issues import Place, Severity
from runner.recipe.model import Recipe

# Raised with every change of the code that changes a dataset or its findings from equal inputs.
BUILD_VERSION = 5


def cache_key(recipe: Recipe, inputs: Inputs, limits: DatasetLimits, counter: TokenCounter) -> str:
    """Hash all a dataset depends on: the data part of the recipe, the files, the limits, the counter."""
    return sha256_of({**_made_by(recipe, limits, counter), "inputs": asdict(inputs)})


def pieces_key(
    recipe: Recipe, templates: Iterable[InputFile], limits: DatasetLimits, counter: TokenCounter
) -> str:
    """Hash of all that each piece of a dataset depends on besides its records."""
    files = [asdict(template) for template in templates]
    return sha256_of({**_made_by(recipe, limits, counter), "templates": files})


def _made_by(recipe: Recipe, limits: DatasetLimits, counter: TokenCounter) -> dict[str, Any]:
    return {
        "build_version": BUILD_VERSION,
        "recipe": {
            name: value
            for name, value in recipe.as_value().items()
            if name not in ("training", "limits", "description", "name", "tests", "evaluation")
        },
        "method": recipe.training.method,
        "limits": asdict(limits),
        "counter": [type(counter).__name__, counter.margin],
    }


def read_cached(cache: Path, key: str, folder: Path) -> Dataset | None:
    """The dataset of an earlier build with equal inputs, if its files are all there still."""
    try:
        dataset = _from_stored(json.loads((cache / f"{key}.json").read_bytes()), folder)
    except (OSError, ValueError, KeyError, TypeError):
        # A damaged entry is no entry: the dataset is built again.
        return None
    sizes = ((dataset.path_of(file), file.size_bytes) for file in dataset.files)
    complete = all(path.is_file() and path.stat().st_size == size for path, size in sizes)
    tables = (dataset.index_path, dataset.hits_path)
    return dataset if complete and all(path.is_file() for path in tables) else None


def write_cached(cache: Path, key: str, dataset: Dataset) -> None:
    """Remember a build."""
    stored = {name: value for name, value in asdict(dataset).items() if name != "folder"}
    write_atomically(cache / f"{key}.json", canonical_json(stored))


def _from_stored(stored: dict[str, Any], folder: Path) -> Dataset:
    validation = stored["validation_file"]
    return Dataset(
        folder=folder,
        training_file=DatasetFile(**stored["training_file"]),
        validation_file=DatasetFile(**validation) if validation else None,
        sources=tuple(InputFile(**item) for item in stored["sources"]),
        templates=tuple(InputFile(**item) for item in stored["templates"]),
        findings=tuple(_finding(item) for item in stored["findings"]),
        n_records=stored["n_records"],
        index=stored["index"],
        hits=stored["hits"],
        ignored=tuple(stored["ignored"]),
        n_near_repeats=stored["n_near_repeats"],
    )


def _finding(stored: dict[str, Any]) -> Finding:
    places = tuple(Place(**place) for place in stored["places"])
    return Finding(**{**stored, "severity": Severity(stored["severity"]), "places": places})
