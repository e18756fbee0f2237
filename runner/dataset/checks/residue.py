"""Rules about what programs leave behind in text."""

import json
import re
from collections.abc import Iterator

from runner.dataset.checks.conversation import Conversation
from runner.dataset.checks.hits import Values
from runner.dataset.checks.marks import ENDS, RESIDUE
from runner.dataset.checks.rule import ExampleRule, Rule, Setup
from runner.dataset.checks.samples import ask
from runner.display import one_line

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]{1,60}\}\}|\{%[^{}\n]{1,80}%\}|\[object Object\]|\b(?:[Ll]orem [Ii]psum|LOREM IPSUM)\b"
)
# What every placeholder has, found much faster.
_MARKS = ("{{", "{%", "bject]", "orem ", "OREM ")
# The whole message, or what stands after a label at the end of a line; a key of JSON is no label.
_NO_VALUE = re.compile(
    r"\A\s*(None|nan|NaN|undefined|null|NULL)[.。]?\s*\Z"
    r"|(?<=[\w)])[ \t]?: ?(None|nan|NaN|undefined)[.。]?[ \t]*$",
    re.MULTILINE,
)
_NO_WORDS = ("None", "nan", "NaN", "undefined", "null", "NULL")
_CHAT_TOKEN = re.compile(
    r"<\|(?:im_start|im_end|im_sep|endoftext|endofprompt|eot_id|start_header_id|end_header_id|begin_of_text"
    r"|end_of_text|system|user|assistant)\|>|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>"
)
_CHAT_MARKS = ("<|", "_of_turn>", "INST]", "SYS>>")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^`\n]*)$", re.MULTILINE)


def placeholder(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT210. Inside code such marks are what the code is about."""
    if not any(mark in conversation.text for mark in _MARKS):
        return
    for place, turn in conversation.places():
        match = _PLACEHOLDER.search(_CODE.sub(" ", turn.content))
        if match is not None:
            yield {"where": place, "found": one_line(match.group(), limit=40)}


def no_value(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT211."""
    if not any(word in conversation.text for word in _NO_WORDS):
        return
    for place, turn in conversation.places():
        match = _NO_VALUE.search(_CODE.sub(" ", turn.content) if "`" in turn.content else turn.content)
        if match is not None:
            yield {"where": place, "found": match.group(1) or match.group(2)}


def chat_token(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT212."""
    if not any(mark in conversation.text for mark in _CHAT_MARKS):
        return
    for place, turn in conversation.places():
        match = _CHAT_TOKEN.search(turn.content)
        if match is not None:
            yield {"where": place, "found": match.group()}


def open_fence(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT213. A fence closes with as many of its marks or more, and nothing after them (CommonMark 4.5)."""
    if "```" not in conversation.text and "~~~" not in conversation.text:
        return
    for place, turn in conversation.places():
        if turn.role != "assistant":
            continue
        opened = ""
        for marks, info in _FENCE.findall(turn.content):
            if not opened:
                opened = marks
            elif marks[0] == opened[0] and len(marks) >= len(opened) and not info.strip():
                opened = ""
        if opened:
            yield {"where": place, "found": opened[:3]}


def wants_json(setup: Setup) -> bool:
    """Whether the recipe says that answers are JSON."""
    return setup.json_answers


def broken_json(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT214."""
    for place, turn in conversation.places():
        if not turn.is_trained or turn.tool_calls:
            continue
        try:
            json.loads(turn.content, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            reason = f"{error.msg}, line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "NaN"
            yield {"where": place, "found": reason}


def _refuse(constant: str) -> float:
    raise ValueError(constant)


RESIDUE_RULES = (
    ExampleRule(
        Rule(
            code="FT210",
            name="placeholder",
            level="warning",
            problem="{where} has '{found}', which looks like a placeholder that nothing filled, expected "
            "text.",
            advice="Fill it where the data is made, or leave the record out with `where`.",
            description="Messages have no unfilled placeholders: {{ name }}, {% if %}, [object Object], "
            "lorem ipsum.",
            why="The model learns to answer with the placeholder itself.",
            bad=ask("Who are you?", "I am {{name}}."),
            good=ask("How do I print a name in Jinja?", "Write `{{ name }}`."),
        ),
        placeholder,
        mark=RESIDUE,
    ),
    ExampleRule(
        Rule(
            code="FT211",
            name="missing-value",
            level="warning",
            problem="{where} says '{found}' where a value is missing, expected the value.",
            advice="Give the field a `default`, or leave the record out with `where`.",
            description="Messages do not say None, nan, null or undefined in the place of a value.",
            why="A program wrote out its word for nothing. The model learns it as an answer.",
            bad=ask("Price of model B?", "Price: nan"),
            good=ask("Which of them apply?", "None of these."),
        ),
        no_value,
        mark=ENDS,
    ),
    ExampleRule(
        Rule(
            code="FT212",
            name="chat-format-token",
            level="warning",
            problem="{where} has '{found}', a mark of a chat format, expected text alone.",
            advice="Remove it: the service writes these marks itself.",
            description="Messages have no marks of a chat format, such as <|im_start|> or [INST].",
            why="A model that reads them as marks ends the answer there; one that does not learns to write "
            "them.",
            bad=ask("Hello?", "Hello.<|im_end|>"),
            good=ask("Hello?", "Hello."),
        ),
        chat_token,
        mark=RESIDUE,
    ),
    ExampleRule(
        Rule(
            code="FT213",
            name="open-code-fence",
            level="warning",
            problem="{where} opens a code block with {found} and never closes it, expected its end.",
            advice="Close it; the answer may have been cut off.",
            description="Code blocks in answers are closed.",
            why="It is the commonest trace of an answer that was cut off, and it breaks how answers are "
            "shown.",
            bad=ask("How do I list files?", "```sh\nls -l"),
            good=ask("How do I list files?", "```sh\nls -l\n```"),
        ),
        open_fence,
        mark=RESIDUE,
    ),
    ExampleRule(
        Rule(
            code="FT214",
            name="broken-json-answer",
            level="error",
            problem="{where} is not JSON ({found}), expected JSON since the recipe says `json_answers: "
            "true`.",
            advice="Repair the answer, or leave the record out with `where`.",
            description="With `checks.json_answers: true` every answer is one JSON value.",
            why="A model that learned a few broken objects writes a few broken objects.",
            bad=ask("Order of chat 7 as JSON?", "{'id': 7}"),
            good=ask("Order of chat 7 as JSON?", '{"id": 7}'),
        ),
        broken_json,
        needs=wants_json,
    ),
)
