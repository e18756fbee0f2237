"""What a host and a model accept of a dataset."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetLimits:
    """What the chosen host and model accept."""

    min_examples: int
    max_example_tokens: int | None = None
    max_file_bytes: int | None = None
    max_images: int = 10
    max_image_bytes: int = 10_000_000
    max_image_examples: int = 50_000
    takes_images: bool = True
    takes_tools: bool = True
