"""Training from file to weights: pytest tests/local/training/test_train.py"""

import errno
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from runner.local.training.conversation import render_conversation, render_prompt
from runner.local.training.examples import tokenise_examples
from runner.local.training.generation import answer_text
from runner.local.training.job import (
    Hyperparameters,
    ResolvedHyperparameters,
    TrainingCancelled,
    TrainingError,
)
from runner.local.training.messages import Message
from runner.local.training.models import LoadedModel, load_model
from runner.local.training.results import read_results
from runner.local.training.sampling import Sampling
from runner.local.training.saving import weights_sha256
from runner.local.training.train import train
from runner.local.training.training_file import read_conversations
from tests.local.training.fakes import RecordingReporter, make_job, messages, question_and_answer, write_jsonl

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

ROOT = Path(__file__).parents[3]
TWO = [
    question_and_answer("환불은 언제 되나요?", "결제한 날부터 사흘 안에 환불됩니다. 😀"),
    question_and_answer("환불은 어디서 하나요?", "내 주문 화면에서\n'환불'을 누르세요."),
]
TEN = [question_and_answer(f"{number}번 질문", f"답은 {number * 37 % 101}입니다.") for number in range(10)]


def text(loaded: LoadedModel, conversation: tuple[Message, ...], max_tokens: int = 500) -> str:
    prompt = render_prompt(loaded.tokenizer, conversation[:-1])
    return answer_text(loaded, prompt, Sampling(max_tokens=max_tokens, temperature=0))


def greedy(base_model: str, path: Path | None, conversation: tuple[Message, ...]) -> str:
    loaded = load_model(base_model, path, allow_network=False)
    loaded.model.eval()
    return text(loaded, conversation, max_tokens=60)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_two_examples_are_learnt_by_heart(tmp_path: Path) -> None:
    """The answers come back to the letter, and no longer once the saved weights are disturbed."""
    job = make_job(tmp_path, write_jsonl(tmp_path / "train.jsonl", TWO), n_epochs=30)
    result = train(job, RecordingReporter())
    answers = [conversation[-1].content for conversation in TWO]

    assert answers == [greedy("tiny-1", result.model_dir, conversation) for conversation in TWO]

    weights = load_file(result.model_dir / "model.safetensors")
    noise = torch.Generator().manual_seed(0)
    disturbed = {
        name: tensor + torch.randn(tensor.shape, generator=noise) for name, tensor in weights.items()
    }
    save_file(disturbed, result.model_dir / "model.safetensors", metadata={"format": "pt"})

    assert not set(answers) & {greedy("tiny-1", result.model_dir, conversation) for conversation in TWO}


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 42])
def test_guide_is_learnt_by_heart(tmp_path: Path, seed: int) -> None:
    """At least 97 in 100 of the example recipe's answers of some 160 characters come back to the letter."""
    guide = json.loads((ROOT / "recipes" / "data" / "online_guide.json").read_bytes())
    answers = {
        page["main_title"]: "\n".join(part.get("text") or "" for part in page.get("sections") or []).strip()
        for page in guide["documents"]
    }
    examples = [
        question_and_answer(f"{title} 관련 내용을 알려줘.", answer)
        for title, answer in answers.items()
        if len(answer) >= 20
    ]
    job = make_job(tmp_path, write_jsonl(tmp_path / "t", examples), n_epochs=20, batch_size=8, seed=seed)
    model_dir = train(job, RecordingReporter()).model_dir
    loaded = load_model("tiny-1", model_dir, allow_network=False)
    exact = [text(loaded, example) == example[-1].content for example in examples]

    assert len(exact) > 60
    assert sum(exact) / len(exact) >= 0.97


def test_everything_is_reported(tmp_path: Path) -> None:
    """Steps with their metrics, an evaluation and a checkpoint each epoch (three kept), a result file."""
    train_file, valid_file = (write_jsonl(tmp_path / name, TEN) for name in ("train.jsonl", "valid.jsonl"))
    reporter = RecordingReporter()
    job = make_job(tmp_path, train_file, validation_file=valid_file, n_epochs=4, batch_size=8)
    result = train(job, reporter)
    resolved = ResolvedHyperparameters(n_epochs=4, batch_size=8, learning_rate_multiplier=1.0)
    loaded = load_model("tiny-1", None, allow_network=False)
    n_tokens = sum(
        len(tokenise_examples(loaded, "tiny-1", [example], "training_file")[0].ids)
        for example in read_conversations(train_file, "training_file")
    )

    assert [(resolved, 8, 10)] == reporter.resolutions
    assert [1, 2, 3, 4, 5, 6, 7, 8] == [step.step for step in reporter.steps]
    assert [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4] == [step.epoch for step in reporter.steps]
    assert {8} == {step.total_steps for step in reporter.steps}
    assert [2, 4, 6, 8] == [step.step for step in reporter.steps if step.valid_loss is not None]
    assert reporter.steps[-1].train_loss < reporter.steps[0].train_loss
    assert [1, 2, 3, 4] == [checkpoint.epoch for checkpoint in reporter.checkpoints]
    assert reporter.checkpoints[1:] == list(result.checkpoints)
    assert [False, True, True, True] == [checkpoint.path.is_dir() for checkpoint in reporter.checkpoints]
    assert reporter.checkpoints[-1].metrics.full_valid_loss == reporter.steps[-1].valid_loss
    assert 8 == len(read_results(result.results_csv))
    assert (resolved, 4 * n_tokens) == (result.hyperparameters, result.trained_tokens)
    assert sha256(result.model_dir / "model.safetensors") == result.weights_sha256


def test_validation_is_measured_without_training_on_it(tmp_path: Path) -> None:
    """The weights are the same with and without; a validation file equal to the data is learnt with it."""
    train_file = write_jsonl(tmp_path / "train.jsonl", TWO)
    reporter = RecordingReporter()
    with_validation = make_job(tmp_path / "a", train_file, validation_file=train_file, n_epochs=30)
    without = make_job(tmp_path / "b", train_file, n_epochs=30)

    assert (
        train(with_validation, reporter).weights_sha256 == train(without, RecordingReporter()).weights_sha256
    )
    assert 1.0 == reporter.steps[-1].valid_mean_token_accuracy
    assert reporter.steps[-1].valid_loss < 0.1
    assert reporter.steps[0].valid_loss > 3


@pytest.mark.parametrize("base", ["tiny-1", "chat model"])
@pytest.mark.parametrize("batch_size", [2, 10])
def test_first_loss_is_the_mean_over_the_answer_tokens(
    tmp_path: Path, chat_model: Path, base: str, batch_size: int
) -> None:
    """However a step is split into batches: one answer long and one short count by their tokens."""
    base_model = "tiny-1" if base == "tiny-1" else str(chat_model)
    both = [question_and_answer("a", "짧음"), question_and_answer("b", "아주 " + "긴 " * 40 + "대답")]
    train_file = write_jsonl(tmp_path / "train.jsonl", both)
    loaded = load_model(base_model, None, allow_network=False)
    loss_sum, n_tokens = 0.0, 0
    for example in read_conversations(train_file, "training_file"):
        ids, mask = render_conversation(loaded.tokenizer, example.messages)
        with torch.no_grad():
            predictions = torch.log_softmax(loaded.model(torch.tensor([ids])).logits[0], dim=-1)
        answer = [position for position, is_learnt in enumerate(mask) if is_learnt]
        loss_sum -= sum(float(predictions[position - 1, ids[position]]) for position in answer)
        n_tokens += len(answer)
    reporter = RecordingReporter()
    values = {"base_model": base_model, "n_epochs": 1, "batch_size": batch_size}
    train(make_job(tmp_path, train_file, **values), reporter)

    assert pytest.approx(loss_sum / n_tokens, rel=1e-4) == reporter.steps[0].train_loss


def test_last_checkpoint_is_the_model(tmp_path: Path) -> None:
    result = train(make_job(tmp_path, write_jsonl(tmp_path / "t", TEN), n_epochs=1), RecordingReporter())

    assert greedy("tiny-1", result.model_dir, TEN[0]) == greedy("tiny-1", result.checkpoints[-1].path, TEN[0])
    assert sha256(result.checkpoints[-1].path / "model.safetensors") == result.weights_sha256


RUN_IN_PROCESS = """
import sys
from pathlib import Path
from runner.local.training.environment import prepare_environment
prepare_environment(allow_network=False, threads=1)
from runner.local.training.sampling import Sampling
from runner.local.training.train import train
from runner.local.training.messages import Message
from runner.local.training.training_file import read_conversations
from tests.local.training.fakes import RecordingReporter, make_job
job = make_job(Path(sys.argv[1]), Path(sys.argv[2]), n_epochs=2, batch_size=4)
print(train(job, RecordingReporter()).weights_sha256)
"""


def test_the_files_stay_until_every_process_has_read_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first process publishes them, and takes the checkpoints away, once training has returned."""
    done: list[str] = []

    def hashed(folder: Path) -> str:
        done.append("read")
        return weights_sha256(folder)

    monkeypatch.setattr("runner.local.training.train.weights_sha256", hashed)
    monkeypatch.setattr("runner.local.training.train.wait_for_all", lambda: done.append("wait"))
    train(make_job(tmp_path, write_jsonl(tmp_path / "train.jsonl", TWO), n_epochs=1), RecordingReporter())

    assert ["wait", "read", "wait"] == done[-3:]


def test_same_job_gives_the_same_weights(tmp_path: Path) -> None:
    train_file = write_jsonl(tmp_path / "train.jsonl", TEN)
    first, second = (
        train(make_job(tmp_path / name, train_file, n_epochs=1, batch_size=4), RecordingReporter())
        for name in ("a", "b")
    )

    assert first.weights_sha256 == second.weights_sha256


@pytest.mark.long
def test_same_job_gives_the_same_weights_in_another_process(tmp_path: Path) -> None:
    """With nothing but our own line on stdout."""
    train_file = write_jsonl(tmp_path / "train.jsonl", TEN)
    first = train(make_job(tmp_path / "a", train_file, n_epochs=2, batch_size=4), RecordingReporter())
    second = subprocess.run(
        [sys.executable, "-c", RUN_IN_PROCESS, str(tmp_path / "b"), str(train_file)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )

    assert f"{first.weights_sha256}\n" == second.stdout


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    train_file = write_jsonl(tmp_path / "train.jsonl", TEN)
    results = {
        train(
            make_job(tmp_path / str(seed), train_file, n_epochs=1, batch_size=4, seed=seed),
            RecordingReporter(),
        ).weights_sha256
        for seed in (1, 2)
    }

    assert 2 == len(results)


def test_cancelled_job_stops_at_once(tmp_path: Path) -> None:
    reporter = RecordingReporter(cancel_at=3)
    with pytest.raises(TrainingCancelled):
        train(make_job(tmp_path, write_jsonl(tmp_path / "t", TEN), n_epochs=9, batch_size=2), reporter)

    assert 3 == len(reporter.steps)


def test_job_cancelled_before_it_starts_loads_nothing(tmp_path: Path) -> None:
    with pytest.raises(TrainingCancelled):
        train(make_job(tmp_path, tmp_path / "no such file"), RecordingReporter(cancel_at=0))


@pytest.mark.parametrize("base", ["tiny-1", "chat model"])
def test_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, chat_model: Path, base: str) -> None:
    """Same weights, same results, no step reported twice; an unfinished checkpoint is passed over."""
    base_model = "tiny-1" if base == "tiny-1" else str(chat_model)
    train_file = write_jsonl(tmp_path / "train.jsonl", TEN)
    values = {"base_model": base_model, "validation_file": train_file, "n_epochs": 4, "batch_size": 4}
    whole = train(make_job(tmp_path / "whole", train_file, **values), RecordingReporter())
    job = make_job(tmp_path / "resumed", train_file, **values)
    with pytest.raises(TrainingCancelled):
        train(job, RecordingReporter(cancel_at=8))
    unfinished = tmp_path / "resumed" / "checkpoints" / "checkpoint-8"
    unfinished.mkdir()
    reporter = RecordingReporter()
    resumed = train(job, reporter)

    assert whole.weights_sha256 == resumed.weights_sha256
    assert whole.results_csv.read_bytes() == resumed.results_csv.read_bytes()
    assert [7, 8, 9, 10, 11, 12] == [step.step for step in reporter.steps]
    assert ["info: Resuming after step 6"] == reporter.events
    assert [6, 9, 12] == [checkpoint.step for checkpoint in resumed.checkpoints]


def test_adapter_is_trained_and_the_base_is_not(
    tmp_path: Path, chat_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model from disk takes LoRA: every weight of the base keeps its bytes, in memory and on disk."""
    loaded = []

    def remember(*arguments: Any, **options: Any) -> Any:
        loaded.append(load_model(*arguments, **options))
        return loaded[-1]

    monkeypatch.setattr("runner.local.training.train.load_model", remember)
    before = sha256(chat_model / "model.safetensors")
    reporter = RecordingReporter()
    values = {"base_model": str(chat_model), "n_epochs": 6, "batch_size": 4}
    hyperparameters = Hyperparameters(n_epochs=6, batch_size=4, learning_rate_multiplier=10)
    train_file = write_jsonl(tmp_path / "t", TEN)
    result = train(make_job(tmp_path, train_file, **values, hyperparameters=hyperparameters), reporter)
    base = load_file(chat_model / "model.safetensors")
    in_memory = {
        name.replace(".base_layer", ""): parameter
        for name, parameter in loaded[0].model.named_parameters()
        if "lora_" not in name
    }

    assert before == sha256(chat_model / "model.safetensors")
    assert sorted(base) == sorted(in_memory)
    assert all(torch.equal(base[name], parameter) for name, parameter in in_memory.items())
    assert all("lora_" in name for name in load_file(result.model_dir / "adapter_model.safetensors"))
    assert reporter.steps[-1].train_loss < reporter.steps[0].train_loss - 0.5
    assert greedy(str(chat_model), None, TEN[0]) != greedy(str(chat_model), result.model_dir, TEN[0])


def test_tuned_models_can_be_trained_further(tmp_path: Path, chat_model: Path) -> None:
    """tiny-1's weights and an adapter are taken up where they were left."""
    train_file = write_jsonl(tmp_path / "t", TWO)
    for base_model in ("tiny-1", str(chat_model)):
        folder = tmp_path / Path(base_model).name
        first, second = RecordingReporter(), RecordingReporter()
        result = train(make_job(folder / "1", train_file, base_model=base_model, n_epochs=12), first)
        job = make_job(
            folder / "2", train_file, base_model=base_model, base_model_path=result.model_dir, n_epochs=1
        )
        train(job, second)

        assert pytest.approx(first.steps[-1].train_loss, abs=0.5) == second.steps[0].train_loss
        assert second.steps[0].train_loss < first.steps[0].train_loss


@pytest.mark.parametrize(
    ("conversation", "problem"),
    [
        (messages("user: a", "assistant: b<|im_end|>"), " message contains an invalid token: <|im_end|>"),
        (
            messages("user: a", "assistant: " + "길" * 3000),
            " has 6014 tokens; the context of tiny-1 holds 2048.",
        ),
    ],
)
def test_example_that_the_model_cannot_take_is_named(
    tmp_path: Path, conversation: tuple[Message, ...], problem: str
) -> None:
    train_file = write_jsonl(tmp_path / "t", [*TEN, conversation])
    with pytest.raises(TrainingError) as caught:
        train(make_job(tmp_path, train_file), RecordingReporter())

    assert f"Invalid file format. Example 11{problem}" == caught.value.message
    assert ("invalid_training_file", "training_file") == (caught.value.code, caught.value.param)


def test_loss_that_explodes_ends_the_job(tmp_path: Path) -> None:
    hyperparameters = Hyperparameters(n_epochs=5, learning_rate_multiplier=1e30)
    job = make_job(tmp_path, write_jsonl(tmp_path / "t", TWO), hyperparameters=hyperparameters)
    with pytest.raises(
        TrainingError, match="^The loss became nan at step 3; use a smaller learning_rate"
    ) as caught:
        train(job, RecordingReporter())

    assert "training_diverged" == caught.value.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "out_of_memory"),
        (MemoryError(), "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9"), "out_of_memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), "out_of_memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (SafetensorError("I/O error: No space left on device (os error 28)"), "disk_full"),
    ],
)
def test_machine_that_is_too_small_is_the_users_to_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr("runner.local.training.train.load_model", fail)
    with pytest.raises(TrainingError) as caught:
        train(make_job(tmp_path, tmp_path / "t"), RecordingReporter())

    assert code == caught.value.code


@pytest.mark.parametrize("error", [RuntimeError("shapes"), OSError(errno.EACCES, "no"), KeyError("x")])
def test_other_failures_are_left_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr("runner.local.training.train.load_model", fail)
    with pytest.raises(type(error)):
        train(make_job(tmp_path, tmp_path / "t"), RecordingReporter())
