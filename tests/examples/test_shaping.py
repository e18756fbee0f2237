"""What templates say beside texts: formats by name, tools, weights, names, images."""

from typing import Any

from runner.examples.read import Example
from runner.examples.templates import check_templates
from runner.issues import Issue
from tests.examples.conftest import MakeSetting, Setting

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


def lines(made: Setting) -> list[Any]:
    """Every example's line, or its messages where it is of text alone, and every issue."""
    return [
        str(item) if isinstance(item, Issue) else item.line or [tuple(turn) for turn in item.messages]
        for item in made.items()
    ]


def problems(made: Setting) -> list[tuple[Any, str]]:
    return check_templates(made.recipe, made.folder, made.project)


def test_a_field_stands_in_the_place_of_a_column(setting: MakeSetting) -> None:
    made = setting(
        data=[{"질문": "가?", "답": "네"}],
        fields={"instruction": "질문", "output": "답"},
        template={"from": "alpaca"},
    )

    assert [[("user", "가?"), ("assistant", "네")]] == lines(made)


def test_records_choose_and_key_as_ever(setting: MakeSetting) -> None:
    """`where`, `key` and `split` read fields; the format reads the record."""
    made = setting(
        data=[{"id": n, "instruction": "x", "output": "y", "good": n % 2} for n in range(4)],
        key="id",
        fields={"good": "good"},
        where="good == 1",
        template={"from": "alpaca"},
    )

    assert ["1", "3"] == [item.key for item in made.items() if isinstance(item, Example)]


def test_what_a_record_lacks_comes_from_the_template(setting: MakeSetting) -> None:
    records = [
        {"topic": "날씨", "conversations": [{"from": "human", "value": "?"}, {"from": "gpt", "value": "!"}]},
        {"topic": "x", "system": "Own.", "tools": [TOOL], "conversations": [{"from": "bot", "value": "!"}]},
    ]
    made = setting(
        data=records,
        fields={"topic": "topic"},
        template={
            "from": "sharegpt",
            "system": "{{ topic }} 안내",
            "tools": [{"type": "function", "function": {"name": "other"}}],
        },
    )

    assert [
        {
            "messages": [
                {"role": "system", "content": "날씨 안내"},
                {"role": "user", "content": "?"},
                {"role": "assistant", "content": "!"},
            ],
            "tools": [{"type": "function", "function": {"name": "other"}}],
        },
        {
            "messages": [{"role": "system", "content": "Own."}, {"role": "assistant", "content": "!"}],
            "tools": [TOOL],
        },
    ] == lines(made)


def test_an_unwanted_answer_makes_no_example(setting: MakeSetting) -> None:
    rows = [{"prompt": "?", "completion": text, "label": text == "네"} for text in ("응", "네")]
    made = setting(data=rows, fields={}, template={"from": "kto"})

    assert [[("user", "?"), ("assistant", "네")]] == lines(made)


def test_a_record_of_another_format_is_named_with_file_and_row(setting: MakeSetting) -> None:
    made = setting(data=[{"Q": "x"}], fields={}, template={"from": "alpaca"})

    assert [
        "data.json: row 1: $.template.from: not alpaca: found no 'instruction', expected what is asked. "
        "Name it under `fields`, such as `instruction: your_column`. The record has 'Q'."
    ] == lines(made)


def test_messages_of_templates_have_names_weights_and_images(setting: MakeSetting) -> None:
    made = setting(
        data=[{"title": "밸브", "photos": ["https://example.com/a.png"]}, {"title": "펌프", "photos": []}],
        fields={"title": "title", "photos": "photos"},
        template={
            "messages": [
                {"role": "user", "content": "이건?", "name": "kim", "images": "photos"},
                {"role": "assistant", "content": "음", "weight": 0},
                {"role": "assistant", "content": "{{ title }}"},
            ]
        },
    )
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}

    assert [
        {
            "messages": [
                {"role": "user", "content": content, "name": "kim"},
                {"role": "assistant", "content": "음", "weight": 0},
                {"role": "assistant", "content": title},
            ]
        }
        for title, content in (("밸브", [{"type": "text", "text": "이건?"}, image]), ("펌프", "이건?"))
    ] == lines(made)


def test_tools_of_a_template_come_from_a_field_or_stand_there(setting: MakeSetting) -> None:
    template = {"messages": [{"role": "user", "content": "{{ title }}"}]}
    field = setting(
        data=[{"title": "?", "tools": '[{"name": "weather"}]'}, {"title": "?", "tools": ""}],
        fields={"title": "title", "tools": "tools"},
        template={**template, "tools": "tools"},
    )
    messages = [{"role": "user", "content": "?"}]
    short = {"type": "function", "function": {"name": "weather"}}
    assert [{"messages": messages, "tools": [short]}, [("user", "?")]] == lines(field)

    written = setting(data=[{"title": "?"}], template={**template, "tools": [TOOL]})
    assert [{"messages": messages, "tools": [TOOL]}] == lines(written)


def test_a_list_of_messages_keeps_what_it_is_told_to(setting: MakeSetting) -> None:
    turns = [
        {"who": "손님", "text": "날씨?", "name": "김", "mood": "bad"},
        {"who": "봇", "text": None, "tool_calls": [CALL]},
        {"who": "도구", "text": "맑음", "tool_call_id": "call_1"},
        {"who": "봇", "text": "맑아요", "weight": 1},
    ]
    roles = {"손님": "user", "봇": "assistant", "도구": "tool"}
    messages = {"from": "turns", "role": "who", "content": "text", "roles": roles}
    kept = {**messages, "keep": ["tool_calls", "weight"]}

    made = setting(data=[{"turns": turns}], fields={"turns": "turns"}, template={"messages": kept})
    plain = setting(data=[{"turns": turns}], fields={"turns": "turns"}, template={"messages": messages})

    assert [
        {
            "messages": [
                {"role": "user", "content": "날씨?"},
                {"role": "assistant", "tool_calls": [CALL]},
                {"role": "tool", "content": "맑음", "tool_call_id": "call_1"},
                {"role": "assistant", "content": "맑아요", "weight": 1},
            ]
        }
    ] == lines(made)
    assert [
        "data.json: row 1: $.template.messages[0].from: item 2: found a call of a tool without 'text', "
        "expected text. Take calls along: `keep: [tool_calls]`."
    ] == lines(plain)


def test_what_shows_without_data_is_said_before(setting: MakeSetting) -> None:
    """Fields that are not there, a system template that is none, tools that are none."""
    message = {"role": "user", "content": "x", "images": "photo"}
    written = setting(template={"messages": [message], "tools": "tols"}, fields={"tools": "tools"})
    shaped = setting(template={"from": "alpaca", "system": "{{ x }}", "tools": [{"type": "x"}]}, fields={})

    assert [
        (
            ("template", "messages", 0, "images"),
            "found 'photo', expected the name of a field. The fields are 'tools'.",
        ),
        (("template", "tools"), "found 'tols', expected the name of a field. Did you mean 'tools'?"),
    ] == problems(written)
    assert [
        (("template", "system"), "found the variable 'x', expected a field. The fields are nothing."),
        (
            ("template", "tools"),
            "found an object as a tool, expected a function with a name. Repair the data.",
        ),
    ] == problems(shaped)


def test_an_image_that_is_no_address_is_refused(setting: MakeSetting) -> None:
    message = {"role": "user", "content": "x", "images": "photo"}
    made = setting(data=[{"photo": [3]}], fields={"photo": "photo"}, template={"messages": [message]})

    assert [
        "data.json: row 1: $.template.messages[0].content: found 3, expected the address of an image. "
        "Use another field."
    ] == lines(made)
