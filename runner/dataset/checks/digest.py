"""The little of an example that rules about the whole dataset need, of the same size however long it is."""

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from runner.dataset.checks.conversation import Conversation, Turn
from runner.dataset.checks.scripts import script_of

# A sentence or line, its end included.
_SENTENCE = re.compile(r"[^\n.!?。！？]{1,400}[.!?。！？]*")
MIN_SENTENCE = 12
MAX_SENTENCE = 160
_EDGE, _LOOK = 2, 2 * MAX_SENTENCE


class Digest(NamedTuple):
    """An example, in numbers and a few short texts; goes through JSON unchanged.

    `question` and `answer` are the first 64 and 62 bits of hashes of all messages but the last, and of all
    of them; of a preference (`is_pair`), of its prompt, and of prompt and both answers. `edges` are the
    sentences that open and close the answer. `signature` is a MinHash where asked for.
    """

    question: int
    answer: int
    answer_characters: int
    question_script: str
    answer_script: str
    edges: tuple[str, ...] = ()
    has_images: bool = False
    signature: tuple[int, ...] = ()
    is_pair: bool = False


def digest_of(
    conversation: Conversation,
    sign: Callable[[str], tuple[int, ...]] | None = None,
    content_digest: bytes | None = None,
) -> Digest:
    """Digest an example; `sign` makes a MinHash of a text, `content_digest` hashes one of text alone."""
    turns, answer = conversation.turns, conversation.answer
    asked, answered = _parts(conversation)
    whole = _hash((*asked, *answered)) if content_digest is None else content_digest
    return Digest(
        question=int.from_bytes(_hash(asked)[:8], "big"),
        answer=int.from_bytes(whole[:8], "big") >> 2,
        answer_characters=len(answer),
        question_script=script_of(conversation.question),
        answer_script=script_of(answer),
        edges=_edges(answer),
        has_images=content_digest is None and any(turn.images for turn in turns),
        signature=sign(conversation.text) if sign else (),
        is_pair=conversation.kind == "preference",
    )


def _parts(conversation: Conversation) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    """What is asked, and what is learnt about it."""
    turns = conversation.turns
    if conversation.kind == "task":
        return turns, (Turn("item", conversation.item),)
    if conversation.kind == "preference":
        return turns[: conversation.n_prompt], (*turns[conversation.n_prompt :], *conversation.rejected)
    return turns[:-1], turns[-1:]


def _hash(turns: Iterable[Turn]) -> bytes:
    parts = []
    for role, content, _, tool_calls, _, images in turns:
        parts.append(f"{len(role)}:{role}{len(content)}:{content}")
        parts += [f"{len(part)}:{part}" for part in (*map(repr, tool_calls), *images)]
        parts.append(";")
    return hashlib.sha256("".join(parts).encode("utf-8", "surrogatepass")).digest()


def _edges(answer: str) -> tuple[str, ...]:
    """The first and last sentences that are long enough to be told from a word, unless they are all of it."""
    first = _sentences(answer[:_LOOK])
    last = first if len(answer) <= _LOOK else _sentences(answer[-_LOOK:])
    if len(first) < 2:
        return ()
    chosen = (*first[:_EDGE], *last[-_EDGE:])
    return tuple(dict.fromkeys(part for part in chosen if MIN_SENTENCE <= len(part) <= MAX_SENTENCE))


def _sentences(text: str) -> list[str]:
    return [part for part in map(str.strip, _SENTENCE.findall(text)) if len(part) > 1]
