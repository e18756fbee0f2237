"""Examples and items in few words."""

from runner.evaluation.items import Item, item_of
from runner.examples.read import Example, Message


def example(key: str, question: str, answer: str, *, system: str = "", row: int = 1) -> Example:
    """A conversation of one turn."""
    first = [Message("system", system)] if system else []
    messages = (*first, Message("user", question), Message("assistant", answer))
    return Example(
        key=key,
        group=None,
        variant="",
        messages=messages,
        file="data.json",
        row=row,
        fields={"title": question},
    )


def item(key: str, question: str, answer: str, *, system: str = "", row: int = 1) -> Item:
    """The same as a question."""
    found = item_of(example(key, question, answer, system=system, row=row))
    assert found is not None
    return found
