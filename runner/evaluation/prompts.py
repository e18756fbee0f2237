"""What a candidate is asked: the prompt as it is, or with training examples before it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from runner.evaluation.candidates import Candidate
from runner.evaluation.items import Item, rank
from runner.evaluation.retrieval import NearestRecords
from runner.examples.content import asked_of, turn_of
from runner.examples.read import Example

# As the API takes them.
Messages = tuple[Mapping[str, Any], ...]
# Whether messages leave room for an answer in the model's context.
Fits = Callable[[Messages], bool]


class Prompter:
    """Builds prompts from the training examples; shows as many of `shots` as fit."""

    def __init__(
        self, training: Sequence[Example], shots: int, fits: Fits, nearest: NearestRecords | None
    ) -> None:
        self.ranked = sorted(training, key=lambda example: rank(example.identity))
        self.shots = shots
        self.fits = fits
        self.nearest = nearest

    def prompt(self, candidate: Candidate, item: Item) -> Messages:
        """The messages that a model is asked."""
        if candidate.prompting == "plain":
            return item.sent
        with_examples = _as_turns if candidate.prompting == "few_shot" else _as_knowledge
        shown = self._examples(candidate, item)
        while shown:
            messages = with_examples(item.sent, shown)
            if self.fits(messages):
                return messages
            shown = shown[:-1]
        return item.sent

    def _examples(self, candidate: Candidate, item: Item) -> list[Example]:
        if candidate.prompting == "few_shot":
            others = (
                example
                for example in self.ranked
                if example.variant == item.variant and example.key != item.key
            )
            return [example for example, _ in zip(others, range(self.shots), strict=False)]
        if self.nearest is None:
            raise AssertionError("BUG: a prompt with retrieval without an index")
        return [near.example for near in self.nearest.find(item.question, self.shots)]


def _as_turns(prompt: Messages, examples: Iterable[Example]) -> Messages:
    """Examples as turns of the conversation, after what the system says."""
    first = next((n for n, message in enumerate(prompt) if not _instructs(message)), 0)
    turns = [message for example in examples for message in _shown(example) if not _instructs(message)]
    return (*prompt[:first], *turns, *prompt[first:])


def _shown(example: Example) -> Messages:
    """An example's messages; as text where it ends with a call, which the API wants answered by its tool."""
    messages, _ = asked_of(example.content, len(example.messages))
    if "tool_calls" not in messages[-1]:
        return tuple(messages)
    return tuple({"role": message.role, "content": message.content} for message in example.messages)


def _instructs(message: Mapping[str, Any]) -> bool:
    return message["role"] in ("system", "developer")


def _as_knowledge(prompt: Messages, examples: Iterable[Example]) -> Messages:
    """Examples as something to read, at the end of what the system says."""
    texts = [
        "\n".join(message.content for message in example.messages if message.role in ("user", "assistant"))
        for example in examples
    ]
    known = "\n\n".join(texts)
    if prompt and _instructs(prompt[0]):
        _, said = turn_of(prompt[0])
        return ({**prompt[0], "content": f"{said}\n\n{known}"}, *prompt[1:])
    return ({"role": "system", "content": known}, *prompt)
