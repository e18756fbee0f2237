"""Amounts of money as every command shows them."""

import pytest

from runner.price import shown_usd


@pytest.mark.parametrize(
    ("usd", "expected"),
    [
        (None, "unknown"),
        (0.0, "$0.00"),
        (0.0008, "<$0.01"),
        (0.006, "$0.01"),
        (1234.5, "$1,234.50"),
        (-3.0, "$-3.00"),
    ],
)
def test_what_costs_something_is_never_shown_as_nothing(usd: float | None, expected: str) -> None:
    assert expected == shown_usd(usd)
