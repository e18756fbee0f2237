"""Preference tuning from file to weights: pytest tests/local/training/test_preference.py"""

import math
from pathlib import Path

import pytest

pytest.importorskip("trl")

import torch
from safetensors.torch import load_file

from runner.local.training.conversation import render_conversation
from runner.local.training.examples import tokenise_preferences
from runner.local.training.job import Hyperparameters, ResolvedHyperparameters, TrainingCancelled
from runner.local.training.messages import Message
from runner.local.training.models import load_model
from runner.local.training.train import train
from runner.local.training.training_file import Preference, read_preferences
from tests.local.training.fakes import RecordingReporter, make_job, messages, write_jsonl, write_preferences

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

FACTS = [(f"{number}번 상품은 언제 오나요?", f"{number * 37 % 101}일 뒤에") for number in range(12)]
PREFERENCES = [(question, f"{fact} 도착합니다.", f"{fact} 와!") for question, fact in FACTS]


def mean_log_probability(base_model: str, path: Path | None, conversation: tuple[Message, ...]) -> float:
    """Of the last message, in nats per token."""
    loaded = load_model(base_model, path, allow_network=False)
    ids, mask = render_conversation(loaded.tokenizer, conversation)
    with torch.no_grad():
        predictions = torch.log_softmax(loaded.model(torch.tensor([ids])).logits[0], dim=-1)
    answer = [position for position, is_learnt in enumerate(mask) if is_learnt]
    return sum(float(predictions[position - 1, ids[position]]) for position in answer) / len(answer)


def test_the_preferred_style_is_learnt_and_the_facts_are_kept(tmp_path: Path) -> None:
    """A model that knows both styles prefers one on questions that the preferences did not hold."""
    both = [
        messages(f"user: {question}", f"assistant: {answer}")
        for question, *answers in PREFERENCES
        for answer in answers
    ]
    base = train(
        make_job(tmp_path / "base", write_jsonl(tmp_path / "both", both), n_epochs=24, batch_size=8),
        RecordingReporter(),
    ).model_dir
    seen = write_preferences(tmp_path / "seen", PREFERENCES[:8])
    held_out = write_preferences(tmp_path / "held_out", PREFERENCES[8:])
    reporter = RecordingReporter()
    values = {"base_model_path": base, "validation_file": held_out, "n_epochs": 8, "batch_size": 4}
    result = train(make_job(tmp_path / "tuned", seen, method="dpo", **values), reporter)
    last = reporter.steps[-1]
    resolved = ResolvedHyperparameters(n_epochs=8, batch_size=4, learning_rate_multiplier=1.0, beta=0.1)
    loaded = load_model("tiny-1", None, allow_network=False)
    examples = tokenise_preferences(
        loaded, "tiny-1", read_preferences(seen, "training_file"), "training_file"
    )

    assert [(resolved, 16, 8)] == reporter.resolutions
    assert 8 * sum(example.n_tokens for example in examples) == result.trained_tokens
    assert 1.0 == last.valid_reward_accuracy
    assert last.valid_reward_margin > 0.5
    for question, preferred, other in PREFERENCES[8:]:
        chosen, rejected = (
            messages(f"user: {question}", f"assistant: {text}") for text in (preferred, other)
        )
        assert mean_log_probability("tiny-1", result.model_dir, chosen) > -0.2
        assert mean_log_probability("tiny-1", result.model_dir, rejected) < mean_log_probability(
            "tiny-1", base, rejected
        )
    assert (
        "step,train_loss,train_mean_token_accuracy,valid_loss,valid_mean_token_accuracy,full_valid_loss,"
        "full_valid_mean_token_accuracy,train_reward_accuracy,train_reward_margin,valid_reward_accuracy,"
        "valid_reward_margin"
    ) == result.results_csv.read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.parametrize("base", ["tiny-1", "chat model"])
def test_first_loss_is_log_2_and_the_supervised_term(tmp_path: Path, chat_model: Path, base: str) -> None:
    """Before the first step the model and what it is compared with are the same."""
    base_model = "tiny-1" if base == "tiny-1" else str(chat_model)
    question, preferred, other = PREFERENCES[0]
    training_file = write_preferences(tmp_path / "t", [(question, preferred, other)])
    reporter = RecordingReporter()
    train(make_job(tmp_path, training_file, base_model=base_model, method="dpo", n_epochs=1), reporter)
    chosen = messages(f"user: {question}", f"assistant: {preferred}")
    expected = math.log(2) - mean_log_probability(base_model, None, chosen)

    assert pytest.approx(expected, abs=1e-3) == reporter.steps[0].train_loss
    assert 0.0 == reporter.steps[0].train_reward_margin


@pytest.mark.parametrize("base", ["tiny-1", "chat model"])
def test_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, chat_model: Path, base: str) -> None:
    """What it is compared with is the model of before the first step, not that of the checkpoint."""
    base_model = "tiny-1" if base == "tiny-1" else str(chat_model)
    training_file = write_preferences(tmp_path / "t", PREFERENCES)
    values = {"base_model": base_model, "method": "dpo", "n_epochs": 3, "batch_size": 6}
    whole = train(make_job(tmp_path / "whole", training_file, **values), RecordingReporter())
    job = make_job(tmp_path / "resumed", training_file, **values)
    with pytest.raises(TrainingCancelled):
        train(job, RecordingReporter(cancel_at=3))
    reporter = RecordingReporter()
    resumed = train(job, reporter)

    assert [3, 4, 5, 6] == [step.step for step in reporter.steps]
    assert whole.weights_sha256 == resumed.weights_sha256
    assert whole.results_csv.read_bytes() == resumed.results_csv.read_bytes()


def test_an_adapter_goes_on_from_where_it_was(tmp_path: Path, chat_model: Path) -> None:
    """The copy it is compared with is not saved, and the first margin is none."""
    training_file = write_preferences(tmp_path / "t", PREFERENCES)
    values = {"base_model": str(chat_model), "method": "dpo", "batch_size": 6}
    hyperparameters = Hyperparameters(n_epochs=2, learning_rate_multiplier=50)
    first = train(
        make_job(tmp_path / "1", training_file, **values, hyperparameters=hyperparameters),
        RecordingReporter(),
    )
    reporter = RecordingReporter()
    second = train(
        make_job(tmp_path / "2", training_file, **values, base_model_path=first.model_dir, n_epochs=1),
        reporter,
    )
    before, after = (load_file(item.model_dir / "adapter_model.safetensors") for item in (first, second))

    assert 0.0 == reporter.steps[0].train_reward_margin
    assert ["adapter_model.safetensors"] == [
        path.relative_to(second.model_dir).as_posix() for path in second.model_dir.rglob("*.safetensors")
    ]
    assert before.keys() == after.keys()
    assert not all(torch.equal(before[name], after[name]) for name in before)


def test_only_the_answers_are_trained_on() -> None:
    """An earlier answer inside the prompt is given, not learnt."""
    loaded = load_model("tiny-1", None, allow_network=False)
    prompt = messages("user: 가", "assistant: 나", "user: 다")
    preference = Preference(
        number=1,
        prompt=prompt,
        preferred=messages("assistant: 라마"),
        non_preferred=messages("assistant: 바"),
    )
    (example,) = tokenise_preferences(loaded, "tiny-1", [preference], "training_file")
    learnt = [
        loaded.tokenizer.decode(
            [token for token, trained in zip(side.ids, side.mask, strict=True) if trained]
        )
        for side in (example.preferred, example.non_preferred)
    ]

    assert ["라마<|im_end|>", "바<|im_end|>"] == learnt
