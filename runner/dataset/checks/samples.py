"""Examples for the rules' own documentation, as lines of a training file."""

import json
from typing import Any


def talk(*turns: tuple[str, str] | dict[str, Any]) -> str:
    """One line of a training file: a pair is a role and its text, an object is a message as it is sent."""
    messages = [turn if isinstance(turn, dict) else {"role": turn[0], "content": turn[1]} for turn in turns]
    return json.dumps({"messages": messages}, ensure_ascii=False)


def ask(question: str, answer: str) -> str:
    """A line with a question and its answer."""
    return talk(("user", question), ("assistant", answer))


def lines(*samples: str) -> str:
    """Several examples of one dataset."""
    return "\n".join(samples)
