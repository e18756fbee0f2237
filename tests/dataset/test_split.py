"""The split depends on a record's own identity and the seed alone."""

import pytest

from runner.dataset.split import side_of
from runner.recipe.model import Split


def test_without_a_share_all_records_train() -> None:
    assert {"training"} == {side_of(str(number), Split()) for number in range(100)}


def test_the_share_is_kept_on_average() -> None:
    split = Split(validation=0.2, seed=7)
    held_out = sum(side_of(str(number), split) == "validation" for number in range(10_000))

    assert 1_900 < held_out < 2_100


def test_sides_are_fixed_for_ever() -> None:
    """Known values: a change of the rule would move every user's records."""
    split = Split(validation=0.5, seed=7)

    assert ["validation", "training", "validation", "validation", "validation", "training"] == [
        side_of(key, split) for key in ("a", "b", "c", "한글", "https://example.com/1", "")
    ]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_larger_share_only_adds(share: float) -> None:
    """Raising the share never takes a record out of validation."""
    smaller, larger = Split(validation=share / 2), Split(validation=share)
    keys = [str(number) for number in range(500)]
    held_out = {key for key in keys if side_of(key, smaller) == "validation"}

    assert held_out <= {key for key in keys if side_of(key, larger) == "validation"}
