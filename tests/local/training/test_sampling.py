"""The choice of tokens: pytest tests/local/training/test_sampling.py"""

import math
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch (the extra `local`) is not installed")

import torch

from runner.local.training.sampling import ChosenToken, Sampler, Sampling

pytestmark = pytest.mark.torch

LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0])


def chosen(n: int = 1, seed: int = 0, **values: Any) -> list[ChosenToken]:
    """Choose n tokens from the same logits."""
    sampler = Sampler(Sampling(**values), torch.Generator().manual_seed(seed))
    return [sampler.choose(LOGITS) for _ in range(n)]


def ids(n: int, **values: Any) -> list[int]:
    """The ids of n tokens, the likeliest each time."""
    return [token.id for token in chosen(n, temperature=0, **values)]


def test_a_bias_forces_or_bans_a_token() -> None:
    """100 is as good as certain, -100 as good as never."""
    assert ids(1, logit_bias={3: 100}) == [3]
    assert ids(1, logit_bias={0: -100}) == [1]
    assert ids(1, logit_bias={99: 100}) == [0]


def test_the_presence_penalty_counts_once() -> None:
    """1.5 off makes the second token the likeliest, and it off too the first again."""
    assert ids(4, presence_penalty=1.5) == [0, 1, 0, 0]


def test_the_frequency_penalty_counts_every_time() -> None:
    """The more often a token came, the less likely it gets."""
    assert ids(5, frequency_penalty=0.75) == [0, 0, 1, 0, 1]


def test_a_negative_penalty_repeats() -> None:
    """What was said once is said again."""
    assert ids(3, frequency_penalty=-2) == [0, 0, 0]


def test_probabilities_are_those_before_temperature() -> None:
    """The chosen token and the likeliest ones, in nats."""
    [token] = chosen(temperature=0.1, top_logprobs=2)
    total = math.log(sum(math.exp(value) for value in LOGITS.tolist()))

    assert token.id == 0
    assert token.logprob == pytest.approx(2 - total, abs=1e-6)
    assert [token_id for token_id, _ in token.top] == [0, 1]
    assert [value for _, value in token.top] == pytest.approx([2 - total, 1 - total], abs=1e-6)


def test_probabilities_show_bias_and_penalties() -> None:
    """As the tokens were drawn."""
    [token] = chosen(temperature=0, top_logprobs=0, logit_bias={3: 100})

    assert (token.id, token.top) == (3, ())
    assert token.logprob == pytest.approx(0.0, abs=1e-6)


def test_one_seed_gives_one_sequence() -> None:
    """And another seed another one."""
    first, again, other = ([token.id for token in chosen(20, seed)] for seed in (1, 1, 2))

    assert first == again != other
