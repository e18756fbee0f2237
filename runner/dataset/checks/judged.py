"""Rules about examples whose answers are compared or graded."""

import json
from collections.abc import Iterator
from typing import Any

from runner.dataset.checks.conversation import Conversation, is_judged
from runner.dataset.checks.hits import Values
from runner.dataset.checks.rule import ExampleRule, Rule, Setup

_OUTPUT_ROLES = ("assistant", "tool")


def wrong_answers(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT121."""
    if conversation.kind != "preference":
        return
    better = conversation.turns[conversation.n_prompt :]
    for name, turns in (("better", better), ("worse", conversation.rejected)):
        roles = [turn.role for turn in turns]
        stranger = next((role for role in roles if role not in _OUTPUT_ROLES), None)
        if stranger is not None:
            yield {"found": f"the {name} answer has a message of the {stranger}"}
        elif "assistant" not in roles:
            yield {"found": f"the {name} answer has no message of the assistant"}
        if any(turn.images for turn in turns):
            yield {"found": f"the {name} answer has an image"}


def same_answers(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT122."""
    if conversation.kind == "preference":
        better = conversation.turns[conversation.n_prompt :]
        if better == conversation.rejected:
            yield {}


def answered_task(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT123."""
    if conversation.kind == "task" and conversation.turns[-1].role != "user":
        yield {"role": conversation.turns[-1].role}


def _pair(better: list[dict[str, Any]], worse: list[dict[str, Any]]) -> str:
    asked = {"messages": [{"role": "user", "content": "반품되나요?"}]}
    line = {"input": asked, "preferred_output": better, "non_preferred_output": worse}
    return json.dumps(line, ensure_ascii=False)


def _task(*roles: str) -> str:
    messages = [{"role": role, "content": "2 + 3 = ?"} for role in roles]
    return json.dumps({"messages": messages, "answer": "5"}, ensure_ascii=False)


_KIND = {"role": "assistant", "content": "네, 7일 안에 됩니다."}
_CURT = {"role": "assistant", "content": "네."}

JUDGED_RULES = (
    ExampleRule(
        Rule(
            code="FT121",
            name="wrong-answers-of-a-preference",
            level="error",
            is_enforced=True,
            problem="{found}, expected messages of the assistant, and of tools between them, as text.",
            advice="Correct the template or data.",
            description="The answers of a preference are messages of the assistant and of tools.",
            why="Hosted services refuse other messages there.",
            bad=_pair([_KIND], [{"role": "user", "content": "네?"}]),
            good=_pair([_KIND], [_CURT]),
        ),
        wrong_answers,
        when=is_judged,
    ),
    ExampleRule(
        Rule(
            code="FT122",
            name="equal-answers",
            level="warning",
            problem="the better and the worse answer are the same.",
            advice="Leave the record out with `where`.",
            description="The two answers of a preference differ.",
            why="There is nothing to prefer: such a pair is paid for and teaches nothing.",
            bad=_pair([_KIND], [_KIND]),
            good=_pair([_KIND], [_CURT]),
        ),
        same_answers,
        when=is_judged,
    ),
    ExampleRule(
        Rule(
            code="FT123",
            name="answered-task",
            level="error",
            is_enforced=True,
            problem="an example for reinforcement ends with a message of the {role}, expected the user's.",
            advice="End the template or data with the question.",
            description="An example for reinforcement ends with a message of the user.",
            why="The model answers by itself and a grader judges it; hosted services refuse anything else "
            "there.",
            bad=_task("user", "system"),
            good=_task("system", "user"),
        ),
        answered_task,
        when=is_judged,
    ),
)
