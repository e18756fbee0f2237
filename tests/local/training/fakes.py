"""A reporter that remembers, training files, chat templates and a model small enough to make on the spot."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.local.training.job import (
    Checkpoint,
    Hyperparameters,
    ResolvedHyperparameters,
    StepMetrics,
    TrainingJob,
)
from runner.local.training.messages import Message

CHATML = """\
{% for message in messages %}
{{- '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""
MARKED_CHATML = """\
{% for message in messages %}
{{- '<|im_start|>' + message['role'] + '\n' }}
{%- if message['role'] == 'assistant' %}
{%- generation %}{{ message['content'] + '<|im_end|>\n' }}{% endgeneration %}
{%- else %}{{ message['content'] + '<|im_end|>\n' }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""


@dataclass
class RecordingReporter:
    """Keeps what it is told; asks to stop once `cancel_at` steps are reported."""

    cancel_at: int | None = None
    events: list[str] = field(default_factory=list)
    steps: list[StepMetrics] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    resolutions: list[tuple[ResolvedHyperparameters, int, int]] = field(default_factory=list)

    def event(self, level: str, message: str) -> None:
        self.events.append(f"{level}: {message}")

    def resolved(self, hyperparameters: ResolvedHyperparameters, total_steps: int, n_examples: int) -> None:
        self.resolutions.append((hyperparameters, total_steps, n_examples))

    def metrics(self, metrics: StepMetrics) -> None:
        self.steps.append(metrics)

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        self.checkpoints.append(checkpoint)

    def is_cancelled(self) -> bool:
        return self.cancel_at is not None and len(self.steps) >= self.cancel_at


def messages(*turns: str) -> tuple[Message, ...]:
    """Make messages from "role: content"; "assistant(0): ..." has weight 0."""
    parsed = []
    for turn in turns:
        role, _, content = turn.partition(": ")
        weight = 0 if role.endswith("(0)") else 1
        parsed.append(Message(role=role.removesuffix("(0)"), content=content, weight=weight))
    return tuple(parsed)


def question_and_answer(question: str, answer: str) -> tuple[Message, ...]:
    return messages("system: Category: 결제", f"user: {question}", f"assistant: {answer}")


def write_jsonl(path: Path, conversations: Sequence[tuple[Message, ...]]) -> Path:
    lines = [
        json.dumps({"messages": [{"role": turn.role, "content": turn.content} for turn in conversation]})
        for conversation in conversations
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def make_job(folder: Path, training_file: Path, **values: Any) -> TrainingJob:
    """A job for tiny-1 under `folder`; `n_epochs` and `batch_size` may be given directly."""
    hyperparameters = Hyperparameters(
        n_epochs=values.pop("n_epochs", "auto"), batch_size=values.pop("batch_size", "auto")
    )
    defaults = {"base_model": "tiny-1", "seed": 42, "hyperparameters": hyperparameters}
    return TrainingJob(training_file=training_file, output_dir=folder, **{**defaults, **values})


def make_chat_tokenizer(chat_template: str) -> Any:
    """A byte-level tokenizer with ChatML's control tokens, plain added tokens and one for two line ends."""
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.decoders import ByteLevel as ByteLevelDecoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=400, initial_alphabet=sorted(ByteLevel.alphabet()), special_tokens=["<|endoftext|>"]
    )
    text = [
        "user\nhello\n\nworld\n\nassistant\n\nhello there, system",
        "안녕하세요 네 안녕히 가세요 hello",
    ] * 4
    tokenizer.train_from_iterator(text, trainer)
    tokenizer.add_special_tokens([AddedToken("<|im_start|>"), AddedToken("<|im_end|>")])
    tokenizer.add_tokens([AddedToken("<think>"), AddedToken("</think>")])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        chat_template=chat_template,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=["<|im_start|>"],
    )


def save_chat_model(folder: Path) -> Path:
    """Write a Llama of 0.1 million random weights to a folder."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_chat_tokenizer(CHATML)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=256,
        initializer_range=0.1,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder


def write_preferences(path: Path, preferences: Sequence[tuple[str, str, str]]) -> Path:
    """Write (question, preferred answer, other answer) as a file for preference tuning."""
    lines = [
        {
            "input": {"messages": [{"role": "user", "content": question}]},
            "preferred_output": [{"role": "assistant", "content": preferred}],
            "non_preferred_output": [{"role": "assistant", "content": other}],
        }
        for question, preferred, other in preferences
    ]
    text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return path
