"""Reinforcement tuning: makes answers likelier that a grader rewards, with TRL's GRPOTrainer.

Several answers to each prompt are sampled and compared with each other (https://arxiv.org/abs/2402.03300); a
term for the divergence from the base model keeps the rest of what it knows.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from datasets import Dataset
from trl import GRPOTrainer

from runner.local.training.examples import TokenisedTask, tokenise_tasks
from runner.local.training.generation import answer_text
from runner.local.training.job import Grade, Reporter, ResolvedHyperparameters, TrainingError, TrainingJob
from runner.local.training.models import LoadedModel
from runner.local.training.progress import Validation, stop_if_cancelled
from runner.local.training.sampling import Sampling
from runner.local.training.trainer_config import MAX_ANSWER_TOKENS, reinforcement_config, tuning_of
from runner.local.training.training_file import FilePurpose, read_tasks


def read_examples(path: Path, loaded: LoadedModel, name: str, purpose: FilePurpose) -> list[TokenisedTask]:
    """Read tasks and tokenise their prompts. Raises TrainingError for the first that cannot be asked."""
    return tokenise_tasks(loaded, name, read_tasks(path, purpose), purpose)


class _TaskTrainer(GRPOTrainer):  # type: ignore[misc] # it would render the prompts itself
    """A GRPOTrainer whose prompts are tokenised already: a row's `prompt` is the number of a task."""

    def __init__(
        self, *, loaded: LoadedModel, tasks: Sequence[TokenisedTask], grade: Grade, **options: Any
    ) -> None:
        self.loaded = loaded
        self.tasks = tasks
        self.grade = grade
        super().__init__(
            model=loaded.model,
            processing_class=loaded.tokenizer,
            reward_funcs=self._reward,
            train_dataset=Dataset.from_dict({"prompt": [str(number) for number in range(len(tasks))]}),
            **options,
        )

    def _reward(self, prompts: list[str], completions: list[str], **_: Any) -> list[float]:
        return [
            self.grade(completion, self.tasks[int(prompt)].item)
            for prompt, completion in zip(prompts, completions, strict=True)
        ]

    def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
        return [self.tasks[int(prompt)].ids for prompt in prompts], None, {}


def make_trainer(
    job: TrainingJob,
    loaded: LoadedModel,
    hyperparameters: ResolvedHyperparameters,
    examples: Sequence[TokenisedTask],
    adapter: Any,
) -> Any:
    """Set up a GRPOTrainer; the model as it is now is what the divergence is measured from."""
    if job.grade is None:
        raise TrainingError("missing_grader", "Reinforcement needs a grader.", "method.reinforcement.grader")
    if adapter is None and not loaded.is_adapter:
        # The trainer reads the model that it compares with from disk.
        reference = job.output_dir / "reference"
        loaded.model.save_pretrained(str(reference))
        loaded.model.config._name_or_path = str(reference)
    room = loaded.context_length - max(example.n_tokens for example in examples)
    args = reinforcement_config(
        job,
        hyperparameters,
        len(examples),
        tuning_of(loaded, adapter),
        max_answer_tokens=min(room, MAX_ANSWER_TOKENS),
    )
    tasks = random.Random(job.seed).sample(examples, len(examples))  # noqa: S311 - an order, not a secret
    return _TaskTrainer(loaded=loaded, tasks=tasks, grade=job.grade, args=args, peft_config=adapter)


def validate(trainer: Any, examples: Sequence[TokenisedTask], reporter: Reporter) -> Validation:
    """Answer every validation prompt greedily and grade the answers."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    loaded = LoadedModel(
        model=model,
        tokenizer=trainer.loaded.tokenizer,
        context_length=trainer.loaded.context_length,
        is_adapter=trainer.loaded.is_adapter,
    )
    model.eval()
    greedy = Sampling(max_tokens=MAX_ANSWER_TOKENS, temperature=0)
    rewards = []
    for example in examples:
        stop_if_cancelled(reporter)
        answer = answer_text(loaded, example.ids, greedy)
        rewards.append(trainer.grade(answer, example.item))
    model.train()
    return Validation(mean_reward=fmean(rewards))
