"""Chooses the numbers that a model is kept and computed in."""

from dataclasses import dataclass

import torch

# Ampere, the first with bfloat16 and TF32 units: https://docs.nvidia.com/cuda/ampere-tuning-guide/ (2026-11)
FIRST_WITH_BF16 = (8, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """The type of the weights, whether steps compute in bfloat16, and whether float32 may use TF32 units."""

    weights: torch.dtype
    computes_in_bf16: bool = False
    uses_tf32: bool = False


def choose_precision(capability: tuple[int, int] | None, *, tunes_all_weights: bool = False) -> Precision:
    """Choose for a GPU of a CUDA capability, or for the CPU, which is None: float32 throughout.

    Weights that are tuned themselves stay in float32 on a GPU too: the updates of a small learning rate are
    lost in bfloat16, which has 8 bits of precision.
    """
    if capability is None or capability < FIRST_WITH_BF16:
        return Precision(weights=torch.float32)
    weights = torch.float32 if tunes_all_weights else torch.bfloat16
    return Precision(weights=weights, computes_in_bf16=True, uses_tf32=True)


def capability_of(device: torch.device) -> tuple[int, int] | None:
    """The CUDA capability of a device; None for the CPU."""
    return torch.cuda.get_device_capability(device) if device.type == "cuda" else None
