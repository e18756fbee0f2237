"""The questions of an evaluation, from the examples of a recipe."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.canonical import sha256_of
from runner.examples.content import asked_of
from runner.examples.read import Example, Message
from runner.issues import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question: the prompt, the answer that its record has, and the record's fields.

    `prompt` is its text; `sent` are the same messages as the API takes them, with images and calls of tools,
    and `beside` what is sent beside them, such as tools.
    """

    identity: str
    key: str
    variant: str
    prompt: tuple[Message, ...]
    reference: str
    fields: dict[str, Any]
    place: Place
    sent: tuple[Mapping[str, Any], ...]
    beside: Mapping[str, Any]

    @property
    def values(self) -> dict[str, Any]:
        """What `item` means in the template of a grader."""
        return {**self.fields, "reference": self.reference}

    @property
    def question(self) -> str:
        """What users say in the prompt."""
        return "\n".join(message.content for message in self.prompt if message.role == "user")


def item_of(example: Example) -> Item | None:
    """The question that an example asks and answers; None where it does not end with an answer.

    A task has its item instead of an answer.
    """
    fields = dict(example.fields or {})
    *prompt, answer = example.messages
    if example.is_task:
        item = example.item
        prompt, answer = [*prompt, answer], Message("assistant", str(item.get("reference", "")))
        fields |= item
    if answer.role != "assistant" or not prompt:
        return None
    sent, beside = asked_of(example.content, len(prompt))
    return Item(
        identity=example.identity,
        key=example.key,
        variant=example.variant,
        prompt=tuple(prompt),
        reference=answer.content,
        fields=fields,
        place=example.place,
        sent=tuple(sent),
        beside=beside,
    )


def chosen(items: Sequence[Item], limit: int | None) -> tuple[Item, ...]:
    """At most `limit` items in their order; which ones depends on their identities alone."""
    if limit is None or len(items) <= limit:
        return tuple(items)
    kept = {item.identity for item in sorted(items, key=lambda item: rank(item.identity))[:limit]}
    return tuple(item for item in items if item.identity in kept)


def rank(identity: str) -> bytes:
    """A number that orders identities as if by chance, the same for ever."""
    return hashlib.sha256(b"evaluation\0" + identity.encode("utf-8", "surrogatepass")).digest()


def set_sha256(items: Iterable[Item]) -> str:
    """Hash of all that makes a set of questions what it is; scores compare only where it is equal."""
    return sha256_of([_hashed(item) for item in items])


def _hashed(item: Item) -> dict[str, Any]:
    value: dict[str, Any] = {
        "identity": item.identity,
        "prompt": [list(message) for message in item.prompt],
        "reference": item.reference,
        "fields": item.fields,
    }
    plain = [{"role": message.role, "content": message.content} for message in item.prompt]
    if list(item.sent) != plain or item.beside:
        value |= {"sent": list(item.sent), "beside": item.beside}
    return value
