"""Turns conversations and preferences into the token ids and masks that a trainer takes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runner.local.training.conversation import ConversationError, InvalidTokenError, render_conversation
from runner.local.training.loss import IGNORED
from runner.local.training.models import LoadedModel
from runner.local.training.training_file import Conversation, FilePurpose, Message, Preference, invalid_file


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


def tokenise_examples(
    loaded: LoadedModel, model_name: str, conversations: Sequence[Conversation], purpose: FilePurpose
) -> list[TokenisedExample]:
    """Render every conversation. Raises TrainingError for the first that the model cannot take."""
    return [
        _tokenise(loaded, model_name, conversation.messages, purpose, conversation.number)
        for conversation in conversations
    ]


def tokenise_preferences(
    loaded: LoadedModel, model_name: str, preferences: Sequence[Preference], purpose: FilePurpose
) -> list[TokenisedPreference]:
    """Render every prompt with either answer. Raises as `tokenise_examples` does."""
    return [
        TokenisedPreference(
            preferred=_tokenise(loaded, model_name, _given(item) + item.preferred, purpose, item.number),
            non_preferred=_tokenise(
                loaded, model_name, _given(item) + item.non_preferred, purpose, item.number
            ),
        )
        for item in preferences
    ]


def _given(preference: Preference) -> tuple[Message, ...]:
    """The prompt with nothing in it to learn, whatever weights its answers carry."""
    return tuple(replace(message, weight=0) for message in preference.prompt)


def _tokenise(
    loaded: LoadedModel, model_name: str, messages: Sequence[Message], purpose: FilePurpose, number: int
) -> TokenisedExample:
    try:
        ids, mask = render_conversation(loaded.tokenizer, messages)
    except InvalidTokenError as error:
        raise invalid_file(purpose, number, f" {error}") from error
    except ConversationError as error:
        raise invalid_file(purpose, number, f": {error}.") from error
    if len(ids) > loaded.context_length:
        problem = f" has {len(ids)} tokens; the context of {model_name} holds {loaded.context_length}."
        raise invalid_file(purpose, number, problem)
    return TokenisedExample(ids=ids, mask=mask)
