"""Hides what the training libraries warn about in each other."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def library_deprecations_ignored() -> Iterator[None]:
    """Ignore the old names that TRL 1.16 and peft 0.21 use of transformers 5.23; older ones know no other."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "`(is_)?gradient_checkpointing(_enable|_disable)?` is deprecated", FutureWarning
        )
        yield
