"""Turns conversations into the token ids and labels that a trainer takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from runner.local.training.conversation import ConversationError, InvalidTokenError, render_conversation
from runner.local.training.loss import IGNORED
from runner.local.training.models import LoadedModel
from runner.local.training.training_file import Conversation, FilePurpose, invalid_file


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenisedExample:
    """A conversation as the model sees it; `mask` is true where the loss falls."""

    ids: list[int]
    mask: list[bool]

    @property
    def labels(self) -> list[int]:
        """The ids to predict, with the rest ignored."""
        return [token if trained else IGNORED for token, trained in zip(self.ids, self.mask, strict=True)]


def tokenise_examples(
    loaded: LoadedModel, model_name: str, conversations: Sequence[Conversation], purpose: FilePurpose
) -> list[TokenisedExample]:
    """Render every conversation. Raises TrainingError for the first that the model cannot take."""
    return [_tokenise(loaded, model_name, conversation, purpose) for conversation in conversations]


def _tokenise(
    loaded: LoadedModel, model_name: str, conversation: Conversation, purpose: FilePurpose
) -> TokenisedExample:
    try:
        ids, mask = render_conversation(loaded.tokenizer, conversation.messages)
    except InvalidTokenError as error:
        raise invalid_file(purpose, conversation.number, f" {error}") from error
    except ConversationError as error:
        raise invalid_file(purpose, conversation.number, f": {error}.") from error
    if len(ids) > loaded.context_length:
        problem = f" has {len(ids)} tokens; the context of {model_name} holds {loaded.context_length}."
        raise invalid_file(purpose, conversation.number, problem)
    return TokenisedExample(ids=ids, mask=mask)
