"""Turns conversations, preferences and tasks into the token ids and masks that a trainer takes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from runner.local.training.conversation import (
    ConversationError,
    InvalidTokenError,
    Tools,
    render_conversation,
    render_prompt,
)
from runner.local.training.loss import IGNORED
from runner.local.training.messages import Message
from runner.local.training.models import LoadedModel
from runner.local.training.training_file import Conversation, FilePurpose, Preference, Task, invalid_file


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenisedExample:
    """A conversation as the model sees it; `mask` is true where the loss falls."""

    ids: list[int]
    mask: list[bool]

    @property
    def n_tokens(self) -> int:
        """Count every token, trained on or not."""
        return len(self.ids)

    @property
    def labels(self) -> list[int]:
        """The ids to predict, with the rest ignored."""
        return [token if trained else IGNORED for token, trained in zip(self.ids, self.mask, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenisedPreference:
    """A prompt with either answer; the masks are true on the answers."""

    preferred: TokenisedExample
    non_preferred: TokenisedExample

    @property
    def n_tokens(self) -> int:
        """Count every token of both."""
        return self.preferred.n_tokens + self.non_preferred.n_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenisedTask:
    """A prompt up to where the model is to answer, and the item that the answer is graded with."""

    ids: list[int]
    item: dict[str, Any]

    @property
    def n_tokens(self) -> int:
        """Count the prompt's tokens."""
        return len(self.ids)


def tokenise_examples(
    loaded: LoadedModel, model_name: str, conversations: Sequence[Conversation], purpose: FilePurpose
) -> list[TokenisedExample]:
    """Render every conversation. Raises TrainingError for the first that the model cannot take."""
    return [
        _tokenise(loaded, model_name, (item.messages, item.tools), purpose, item.number)
        for item in conversations
    ]


def tokenise_preferences(
    loaded: LoadedModel, model_name: str, preferences: Sequence[Preference], purpose: FilePurpose
) -> list[TokenisedPreference]:
    """Render every prompt with either answer. Raises as `tokenise_examples` does."""
    return [
        TokenisedPreference(
            preferred=_tokenise(
                loaded, model_name, (_given(item) + item.preferred, item.tools), purpose, item.number
            ),
            non_preferred=_tokenise(
                loaded, model_name, (_given(item) + item.non_preferred, item.tools), purpose, item.number
            ),
        )
        for item in preferences
    ]


def _given(preference: Preference) -> tuple[Message, ...]:
    """The prompt with nothing in it to learn, whatever weights its answers carry."""
    return tuple(replace(message, weight=0) for message in preference.prompt)


def tokenise_tasks(
    loaded: LoadedModel, model_name: str, tasks: Sequence[Task], purpose: FilePurpose
) -> list[TokenisedTask]:
    """Render every prompt. Raises TrainingError for the first that leaves the model no room to answer."""
    tokenised = []
    for task in tasks:
        with _naming(purpose, task.number):
            ids = render_prompt(loaded.tokenizer, task.prompt, task.tools)
        _check_length(loaded, model_name, len(ids) + 1, purpose, task.number)
        tokenised.append(TokenisedTask(ids=ids, item=task.item))
    return tokenised


def _tokenise(
    loaded: LoadedModel,
    model_name: str,
    said: tuple[Sequence[Message], Tools],
    purpose: FilePurpose,
    number: int,
) -> TokenisedExample:
    """Render messages with the tools that may be called in them."""
    with _naming(purpose, number):
        ids, mask = render_conversation(loaded.tokenizer, *said)
    _check_length(loaded, model_name, len(ids), purpose, number)
    return TokenisedExample(ids=ids, mask=mask)


@contextmanager
def _naming(purpose: FilePurpose, number: int) -> Iterator[None]:
    """Name the example that a conversation's problem lies in."""
    try:
        yield
    except InvalidTokenError as error:
        raise invalid_file(purpose, number, f" {error}") from error
    except ConversationError as error:
        raise invalid_file(purpose, number, f": {error}.") from error


def _check_length(
    loaded: LoadedModel, model_name: str, n_tokens: int, purpose: FilePurpose, number: int
) -> None:
    if n_tokens > loaded.context_length:
        problem = f" has {n_tokens} tokens; the context of {model_name} holds {loaded.context_length}."
        raise invalid_file(purpose, number, problem)
