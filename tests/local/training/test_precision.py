"""In which numbers models are tuned: pytest tests/local/training/test_precision.py"""

import pytest

pytest.importorskip("torch")

import torch

from runner.local.training.precision import Precision, capability_of, choose_precision

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("capability", "is_full", "expected"),
    [
        (None, False, Precision(weights=torch.float32)),
        (None, True, Precision(weights=torch.float32)),
        # Turing has no bfloat16.
        ((7, 5), False, Precision(weights=torch.float32)),
        ((8, 0), False, Precision(weights=torch.bfloat16, computes_in_bf16=True, uses_tf32=True)),
        ((9, 0), False, Precision(weights=torch.bfloat16, computes_in_bf16=True, uses_tf32=True)),
        ((9, 0), True, Precision(weights=torch.float32, computes_in_bf16=True, uses_tf32=True)),
    ],
)
def test_numbers_follow_from_the_device(
    capability: tuple[int, int] | None, is_full: bool, expected: Precision
) -> None:
    assert expected == choose_precision(capability, tunes_all_weights=is_full)


def test_a_cpu_has_no_capability() -> None:
    assert capability_of(torch.device("cpu")) is None
