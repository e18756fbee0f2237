"""A build on a cluster of two machines gives the bytes and findings of one here."""

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from runner.dataset.build import build_dataset
from runner.dataset.checks import DatasetLimits
from runner.dataset.effort import Effort
from runner.dataset.inputs import find_inputs
from runner.dataset.tokens import EstimatedTokens
from runner.dataset.value import Dataset
from runner.errors import InvalidInputError, RunnerError
from runner.recipe.load import LoadedRecipe, load_recipe
from tests.conftest import LOOPBACK
from tests.small_project import write_project

LIMITS = DatasetLimits(min_examples=3, max_example_tokens=60)


@pytest.fixture
def loaded(project: Path) -> LoadedRecipe:
    """Two thousand records, some of them with findings."""
    recipe = write_project(project)
    (project / "faq.jsonl").write_text("".join(map(line, range(2_000))), encoding="utf-8")
    return load_recipe(recipe)


def line(number: int) -> str:
    record = {"id": number, "question": f"질문 {number}?", "answer": f"대답 {number % 90} \u2028 }},{{"}
    return json.dumps(record, ensure_ascii=False) + "\n"


def build(loaded: LoadedRecipe, ray: str | None) -> Dataset:
    folder = loaded.project.root / f"out-{ray is not None}"
    effort = Effort(n_workers=1, piece_bytes=700, ray=ray)
    dataset = build_dataset(loaded, find_inputs(loaded), folder, (LIMITS, EstimatedTokens()), effort)
    return replace(dataset, folder=Path())


def test_without_ray_the_extra_is_named(loaded: LoadedRecipe, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "ray" else find(name, package)

    monkeypatch.setattr("runner.dataset.ray_workers.find_spec", without)
    with pytest.raises(RunnerError) as caught:
        build(loaded, "auto")

    assert (
        "found no package ray, which builds on a cluster. Install it: pip install 'finetune-runner[ray]'"
    ) == str(caught.value)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a cluster of two machines with a processor each, on this one."""
    pytest.importorskip("ray", reason="ray (the extra `ray`) is not installed")
    from ray.cluster_utils import Cluster

    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    started.add_node(num_cpus=1)
    # Ray takes the address by which others would reach this machine.
    monkeypatch.setattr("tests.conftest.LOOPBACK", (*LOOPBACK, started.address.partition(":")[0]))
    yield started.address
    started.shutdown()


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_makes_the_same_dataset(loaded: LoadedRecipe, cluster: str) -> None:
    """In two jobs of the cluster; and a problem is told in the same words."""
    assert build(loaded, None) == build(loaded, cluster)

    source = loaded.folder / "faq.jsonl"
    source.write_text(f'{source.read_text(encoding="utf-8")}{{"id": 7, "question"\n', encoding="utf-8")
    messages = []
    for ray in (None, cluster):
        with pytest.raises(InvalidInputError) as caught:
            build(loaded, ray)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_not_there(loaded: LoadedRecipe) -> None:
    pytest.importorskip("ray", reason="ray (the extra `ray`) is not installed")
    with pytest.raises(RunnerError) as caught:
        build(loaded, "127.0.0.1:9")

    assert (
        "127.0.0.1:9: the build on Ray failed: Connection refused. "
        "Correct the cluster, or build without --ray."
    ) == str(caught.value)
