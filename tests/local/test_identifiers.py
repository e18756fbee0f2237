"""IDs and model names."""

import pytest

from runner.local.identifiers import checkpoint_name, derived_id, fine_tuned_name, new_id

JOB_ID = "ftjob-0123456789abcdef01234567"


def test_a_key_gives_one_id_per_kind() -> None:
    """The same key names the same file and the same job everywhere."""
    assert derived_id("file", "key") == "file-73f737cf5a2a41a37d19028e"
    assert derived_id("ftjob", "key") != "ftjob-73f737cf5a2a41a37d19028e"


def test_ids_without_a_key_differ() -> None:
    """Two creates are two objects."""
    assert new_id("file") != new_id("file")


@pytest.mark.parametrize(
    ("base", "suffix", "expected"),
    [
        ("tiny-1", None, "ft:tiny-1:local::01234567"),
        ("tiny-1", "온라인 가이드", "ft:tiny-1:local:온라인-가이드:01234567"),
        ("Qwen/Qwen3-0.6B", "a:b/c", "ft:Qwen/Qwen3-0.6B:local:a-b-c:01234567"),
        ("/srv/models/small", "x", "ft:small:local:x:01234567"),
    ],
)
def test_models_are_named_as_openai_does(base: str, suffix: str | None, expected: str) -> None:
    """A machine's folders stay out of names."""
    assert fine_tuned_name(base, suffix, JOB_ID) == expected
    assert checkpoint_name(expected, 12) == f"{expected}:ckpt-step-12"
