"""Messages out of fields: from strings, files and lists."""

import pytest

from runner.errors import InvalidInputError
from runner.examples.library import MAX_INCLUDES
from runner.examples.templates import check_templates, template_files
from tests.examples.conftest import MakeSetting


def test_files_and_includes_see_the_fields(setting: MakeSetting) -> None:
    made = setting(
        data=[{"title": "A"}],
        files={
            "prompts/user.j2": "{% for x in [1, 2] %}{% include 'shared/line.j2' %}{% endfor %}\n",
            "shared/line.j2": "\ufeff{{ x }}:{{ title }};\r\n",
        },
        template={"messages": [{"role": "user", "content_file": "prompts/user.j2"}]},
    )

    assert [] == check_templates(made.recipe, made.folder, made.project)
    assert ["1:A;2:A;"] == made.texts()


def test_all_files_are_known_for_hashing(setting: MakeSetting) -> None:
    files = {"b.j2": "{% include 'c/d.j2' %}", "c/d.j2": "{% include 'c/e.j2' %}", "c/e.j2": "", "f.j2": ""}
    made = setting(
        files=files,
        template={
            "messages": [
                {"role": "user", "content_file": "b.j2"},
                {"role": "user", "content": "{% include 'f.j2' %}"},
                {"role": "assistant", "content": "x"},
            ]
        },
    )

    assert {name: made.folder / name for name in ("b.j2", "c/d.j2", "c/e.j2", "f.j2")} == template_files(
        made.recipe, made.folder, made.project
    )


def test_a_template_file_that_is_missing_stops_hashing(setting: MakeSetting) -> None:
    made = setting(template={"messages": [{"role": "user", "content_file": "a.j2"}]})

    with pytest.raises(InvalidInputError) as error:
        template_files(made.recipe, made.folder, made.project)

    assert (
        "test: $.template.messages[0].content_file: found no file at 'a.j2', expected a template. "
        "Correct the path from the recipe." == str(error.value)
    )


def test_a_link_out_of_the_project_is_no_template(
    setting: MakeSetting, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = setting(template={"messages": [{"role": "user", "content": "{% include 'a.j2' %}"}]})
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_text("key")
    (made.folder / "a.j2").symlink_to(secret)

    assert [
        (
            ("template", "messages", 0, "content"),
            "found 'a.j2' outside the project, expected a file inside it. Move the file there.",
        )
    ] == check_templates(made.recipe, made.folder, made.project)


def test_links_in_a_circle_are_no_template(setting: MakeSetting) -> None:
    made = setting(template={"messages": [{"role": "user", "content": "{% include 'a.j2' %}"}]})
    (made.folder / "a.j2").symlink_to("b.j2")
    (made.folder / "b.j2").symlink_to("a.j2")

    assert [
        (
            ("template", "messages", 0, "content"),
            "found no file at 'a.j2', expected a template. Correct the path from the recipe.",
        )
    ] == check_templates(made.recipe, made.folder, made.project)


def test_includes_that_double_at_every_level_are_refused_early(setting: MakeSetting) -> None:
    files = {f"{n}.j2": f"{{% include '{n + 1}.j2' %}}" * 2 for n in range(30)} | {"30.j2": ""}
    made = setting(files=files, template={"messages": [{"role": "user", "content_file": "0.j2"}]})
    sentence = f"found more than {MAX_INCLUDES} includes, expected less. Remove some."

    problems = check_templates(made.recipe, made.folder, made.project)

    assert all(message.endswith(sentence) for _, message in problems)
    assert problems
    with pytest.raises(InvalidInputError, match=sentence):
        template_files(made.recipe, made.folder, made.project)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff", "found bytes in 'a.j2' that are not UTF-8 (byte 0), expected text. Save it as UTF-8."),
        (b" " * (1 << 18) + b" ", "found more than 262144 bytes in 'a.j2', expected less. Shorten it."),
    ],
)
def test_a_file_that_is_no_template(setting: MakeSetting, content: bytes, expected: str) -> None:
    made = setting(template={"messages": [{"role": "user", "content_file": "a.j2"}]})
    (made.folder / "a.j2").write_bytes(content)

    assert [(("template", "messages", 0, "content_file"), expected)] == check_templates(
        made.recipe, made.folder, made.project
    )


def test_a_set_in_one_message_does_not_reach_the_next(setting: MakeSetting) -> None:
    made = setting(
        data=[{"title": "A"}],
        template={
            "messages": [
                {"role": "user", "content": "{% set title = 'B' %}{{ title }}"},
                {"role": "assistant", "content": "{{ title }}"},
            ]
        },
    )

    assert ["B", "A"] == made.texts()


def test_data_is_never_rendered(setting: MakeSetting) -> None:
    made = setting(
        data=[{"title": "{{ 1 + 1 }}", "chat": [{"role": "user", "content": "{{ title }}"}]}],
        fields={"title": "title", "chat": "chat"},
        template={"messages": [{"role": "system", "content": "{{ title }}"}, {"from": "chat"}]},
    )

    assert ["{{ 1 + 1 }}", "{{ title }}"] == made.texts()


def test_messages_from_a_list_stand_among_others(setting: MakeSetting) -> None:
    made = setting(
        data=[{"title": [{"from": "human", "value": "Q"}, {"from": "assistant", "value": "A"}]}],
        template={
            "messages": [
                {"role": "system", "content": "S"},
                {"from": "title", "role": "from", "content": "value", "roles": {"human": "user"}},
                {"role": "user", "content": "T"},
            ]
        },
    )

    (example,) = made.items()

    assert [("system", "S"), ("user", "Q"), ("assistant", "A"), ("user", "T")] == [
        (message.role, message.content) for message in example.messages
    ]


def test_texts_alone_are_said_in_turn(setting: MakeSetting) -> None:
    made = setting(
        data=[{"title": ["Q", "A", {"role": "system", "content": "S"}, "B", "R"]}],
        template={"messages": {"from": "title", "speakers": ["user", "assistant"]}},
    )

    (example,) = made.items()

    assert [("user", "Q"), ("assistant", "A"), ("system", "S"), ("assistant", "B"), ("user", "R")] == [
        (message.role, message.content) for message in example.messages
    ]
