"""The loss on the answers: pytest tests/local/training/test_loss.py"""

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from runner.local.training.loss import IGNORED, answer_loss

pytestmark = pytest.mark.torch

VOCABULARY = 7


class TableModel:
    """Predicts the next token from a fixed table of logits, row by token."""

    def __init__(self, *, knows_logits_to_keep: bool) -> None:
        self.table = torch.randn(VOCABULARY, VOCABULARY, generator=torch.Generator().manual_seed(0))
        self.knows_logits_to_keep = knows_logits_to_keep

    def __call__(self, input_ids: Any, logits_to_keep: Any, **unused: Any) -> Any:
        logits = self.table[input_ids]
        return SimpleNamespace(logits=logits[:, logits_to_keep] if self.knows_logits_to_keep else logits)


@pytest.mark.parametrize("knows_logits_to_keep", [True, False])
def test_only_labelled_tokens_count(knows_logits_to_keep: bool) -> None:
    """The sums are those of a loop over the labelled tokens, whatever the padding."""
    model = TableModel(knows_logits_to_keep=knows_logits_to_keep)
    input_ids = torch.tensor([[1, 2, 3, 4, 5], [6, 5, 4, 0, 0]])
    labels = torch.tensor([[IGNORED, IGNORED, 3, 4, IGNORED], [IGNORED, 5, 4, IGNORED, IGNORED]])
    scored = answer_loss(
        model, {"input_ids": input_ids, "attention_mask": (input_ids > 0).long(), "labels": labels}
    )
    pairs = [(2, 3), (3, 4), (6, 5), (5, 4)]
    log_probabilities = torch.log_softmax(model.table, dim=-1)

    assert pytest.approx(-sum(float(log_probabilities[a, b]) for a, b in pairs)) == float(scored.loss_sum)
    assert sum(int(model.table[a].argmax()) == b for a, b in pairs) == scored.n_correct
    assert 4 == scored.n_tokens
