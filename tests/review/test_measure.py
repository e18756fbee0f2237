"""Conversations are measured in chunks, and once where both states have them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from runner.examples.read import Message
from runner.review.measure import Measure, Measures, Messages


@dataclass
class Counting:
    """Counts characters, and remembers what it was asked."""

    margin: float = 0.0
    asked: list[str] = field(default_factory=list)

    def count(self, messages: Iterable[Message]) -> int:
        """Not used by chunks."""
        raise NotImplementedError

    def count_all(self, conversations: Sequence[Iterable[Message]]) -> list[int]:
        """The characters of each."""
        texts = ["".join(message.content for message in messages) for messages in conversations]
        self.asked += texts
        return list(map(len, texts))


def said(text: str) -> Messages:
    """A conversation of one message."""
    return (Message("user", text),)


def measured(text: str) -> Measure:
    """Its line and tokens."""
    return Measure(f'{{"messages":[{{"role":"user","content":"{text}"}}]}}\n'.encode(), len(text))


def test_a_shared_conversation_is_measured_once() -> None:
    counter = Counting()
    columns = Measures(counter).of([[said("가나"), said("b"), None], [said("가나"), said("c"), said("b")]])

    assert [
        [measured("가나"), measured("b"), None],
        [measured("가나"), measured("c"), measured("b")],
    ] == columns
    assert ["가나", "b", "c"] == counter.asked


def test_a_shift_is_remembered_over_the_end_of_a_chunk() -> None:
    """A record added at the front moves all others by one."""
    counter = Counting()
    measures = Measures(counter)
    measures.of([[said("a"), said("b")], [said("new"), said("a")]])
    second = measures.of([[said("c"), said("d")], [said("b"), said("c")]])

    assert [[measured("c"), measured("d")], [measured("b"), measured("c")]] == second
    assert ["a", "new", "b", "c", "d"] == counter.asked


def test_one_state_alone() -> None:
    assert [[measured("a"), None]] == Measures(Counting()).of([[said("a"), None]])
