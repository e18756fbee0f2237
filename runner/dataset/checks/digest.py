"""The little of an example that rules about the whole dataset need, of the same size however long it is."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import NamedTuple

from runner.canonical import first_number
from runner.dataset.checks.conversation import Conversation, Turn
from runner.dataset.checks.scripts import script_of
from runner.dataset.conversation import TextBytes, text_encoder

Sign = Callable[[str], tuple[int, ...]]
Turns = Sequence[tuple[str, str]]

# A sentence or line, its end included.
_SENTENCES: Callable[[str], list[str]] = re.compile(r"[^\n.!?。！？]+[.!?。！？]*").findall
MIN_SENTENCE = 12
# Sentences at each end, and how many characters are looked at there.
_EDGE, _LOOK = 2, 160


class Digest(NamedTuple):
    """An example, in numbers and a few short texts.

    `question` and `answer` are the first 64 and 62 bits of hashes of all messages but the last, and of all
    of them; of a preference (`is_pair`), of its prompt, and of prompt and both answers. `edges` are the
    sentences that open and close the answer. `signature` is a MinHash where asked for.
    """

    question: int
    answer: int
    answer_characters: int
    question_script: str
    answer_script: str
    edges: Sequence[str] = ()
    has_images: bool = False
    signature: tuple[int, ...] = ()
    is_pair: bool = False


def digest_of(conversation: Conversation, sign: Sign | None = None) -> Digest:
    """Digest an example; `sign` makes a MinHash of a text."""
    turns, answer = conversation.turns, conversation.answer
    question, whole = _hashes(*_parts(conversation))
    return Digest(
        question=first_number(question),
        answer=first_number(whole) >> 2,
        answer_characters=len(answer),
        question_script=script_of(conversation.question),
        answer_script=script_of(answer),
        edges=_edges(answer),
        has_images=any(turn.images for turn in turns),
        signature=sign(conversation.text) if sign else (),
        is_pair=conversation.kind == "preference",
    )


def digests_of_texts(
    conversations: Sequence[Turns], written: Sequence[TextBytes], sign: Sign | None = None
) -> list[Digest]:
    """As `digest_of`, of examples of roles and texts alone."""
    answers = [turns[-1][1] if turns and turns[-1][0] == "assistant" else "" for turns in conversations]
    columns = (
        [first_number(each.question) for each in written],
        [first_number(each.digest) >> 2 for each in written],
        [len(answer) for answer in answers],
        [script_of(_question(turns)) for turns in conversations],
        [script_of(answer) for answer in answers],
        [_edges(answer) for answer in answers],
        repeat(False),  # noqa: FBT003
        [sign("\n".join([text for _, text in turns])) for turns in conversations] if sign else repeat(()),
    )
    return list(map(Digest, *columns))


def _question(turns: Turns) -> str:
    return next((text for role, text in reversed(turns) if role == "user"), "")


def _parts(conversation: Conversation) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    """What is asked, and what is learnt about it."""
    turns = conversation.turns
    if conversation.kind == "task":
        return turns, (Turn("item", conversation.item),)
    if conversation.kind == "preference":
        return turns[: conversation.n_prompt], (*turns[conversation.n_prompt :], *conversation.rejected)
    return turns[:-1], turns[-1:]


def _hashes(asked: Sequence[Turn], learnt: Sequence[Turn]) -> tuple[bytes, bytes]:
    """The hashes of what is asked, and of all; those of `text_bytes` for turns of text alone."""
    whole = hashlib.sha256(b"[" + b"".join([_canonical(turn) + b"," for turn in asked]))
    question = whole.digest()
    whole.update(b",".join(map(_canonical, learnt)) + b"]")
    return question, whole.digest()


def _canonical(turn: Turn) -> bytes:
    message = b'{"content":%b,"role":%b}' % (_as_json(turn.content), _as_json(turn.role))
    beside = (*map(repr, turn.tool_calls), *turn.images)
    return b",".join([message, *map(_as_json, beside)]) if beside else message


def _as_json(text: str) -> bytes:
    try:
        return text_encoder()(text)
    except UnicodeEncodeError:
        # Halves of characters, which a training file may have as it was found.
        return json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _edges(answer: str) -> Sequence[str]:
    """The first and last sentences that are long enough to be told from a word, unless they are all of it."""
    if len(answer) > _LOOK:
        # What is cut is no sentence.
        chosen = _SENTENCES(answer[:_LOOK])[:-1][:_EDGE] + _SENTENCES(answer[-_LOOK:])[1:][-_EDGE:]
    else:
        chosen = _SENTENCES(answer)
        if len(chosen) < _EDGE:
            return ()
        chosen = chosen[:_EDGE] + chosen[-_EDGE:]
    long = [part for part in map(str.strip, chosen) if len(part) >= MIN_SENTENCE]
    return list(dict.fromkeys(long)) if len(long) > 1 else long
