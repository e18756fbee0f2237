"""Several processes find what one finds, and end where one ends."""

import random
from pathlib import Path

import pytest

from runner.dataset import near_parts
from runner.dataset.near_parts import find_near_repeats
from runner.dataset.near_repeats import NearRepeat, Search
from runner.dataset.write import training_line
from runner.examples.read import Message


@pytest.fixture
def search(tmp_path: Path) -> Search:
    """Twelve texts, each five times for training, each but the first with another end."""
    draw = random.Random(20261123)
    texts = ["".join(draw.choice("가나다라마바사아자차 ") for _ in range(80)) for _ in range(12)]
    trained = [text + "!" * (4 - copy) for copy in range(5) for text in texts]
    files = {"training": trained, "validation": texts}
    for name, content in files.items():
        (tmp_path / name).write_bytes(b"".join(training_line([Message("user", text)]) for text in content))
    return Search(tmp_path / "training", tmp_path / "validation")


def test_any_number_of_processes_finds_the_same(search: Search) -> None:
    """The first of the nearest is the last process's in one case, this one's in another."""
    expected = {line: NearRepeat(48 + line, 1.0) for line in range(12)}

    assert [expected] * 3 == [find_near_repeats(search, n_processes=count) for count in (1, 2, 3)]


def test_any_number_of_processes_ends_after_the_same_steps(search: Search) -> None:
    """Steps are counted, so that machines with other numbers of processors agree."""
    n_steps = near_parts.find_in_part(search).n_steps

    for count in (1, 2):
        assert find_near_repeats(search._replace(max_steps=n_steps - 1), n_processes=count) is None
        assert 12 == len(find_near_repeats(search._replace(max_steps=n_steps), n_processes=count) or {})


def test_the_part_of_a_process_that_ended_is_searched_here(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_parts, "_START", "import sys; print('[['); sys.exit(1)")

    assert find_near_repeats(search, n_processes=1) == find_near_repeats(search, n_processes=2)
