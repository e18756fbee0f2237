"""A change of one value leaves every other character as it was."""

import pytest

from runner.recipe.edit import EditError, set_path, set_profile, set_trim

HEAD = "version: 1  # first\nfields:\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  body: text\n  x: y\n", "  body: {path: text, trim: true}\n  x: y\n"),
        ("  body: 본문 # why\n", "  body: {path: 본문, trim: true} # why\n"),
        ("  body: sections[].text\n", '  body: {path: "sections[].text", trim: true}\n'),
        ('  body: "a, b"\n', '  body: {path: "a, b", trim: true}\n'),
        ("  body: {path: text}\n", "  body: {trim: true, path: text}\n"),
        ("  body: {path: text, trim: false}\n", "  body: {path: text, trim: true}\n"),
        (
            "  body:\n    path: text  # why\n  x: y\n",
            "  body:\n    path: text  # why\n    trim: true\n  x: y\n",
        ),
        ("  body:\n    path: text", "  body:\n    path: text\n    trim: true"),
        (
            '  body:\n    path: t\n    default: ""\n\n  x: y\n',
            '  body:\n    path: t\n    default: ""\n    trim: true\n\n  x: y\n',
        ),
    ],
)
def test_a_field_is_trimmed(before: str, after: str) -> None:
    assert HEAD + after == set_trim(HEAD + before, "body")
    assert HEAD + after == set_trim(HEAD + after, "body")


def test_a_path_is_replaced() -> None:
    text = "sources:\n  - path: a.csv # here\n  - {path: 'b.csv'}\n"

    assert text.replace("a.csv", "a.fixed.csv") == set_path(text, ("sources", 0, "path"), "a.fixed.csv")
    assert text.replace("'b.csv'", "data/b.fixed.csv") == set_path(
        text, ("sources", 1, "path"), "data/b.fixed.csv"
    )


def test_what_is_not_there_is_not_changed() -> None:
    with pytest.raises(EditError, match="found nothing there"):
        set_trim(HEAD + "  body: text\n", "title")
    with pytest.raises(EditError, match="found nothing there"):
        set_path("sources: []\n", ("sources", 0, "path"), "x")


OVERLAY = {"training": {"provider": "azure", "model": "gpt-4.1", "options": {"lora": None}}}
WRITTEN = """\
  azure:
    training:
      provider: azure
      model: gpt-4.1
      options:
        lora: null
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: 1  # one\n", f"a: 1  # one\n\nprofiles:\n{WRITTEN}"),
        ("a: 1", f"a: 1\n\nprofiles:\n{WRITTEN}"),
        (
            "profiles:\n  빠른:  # quick\n    seed: 3  # why\n\n# the end\na: 1\n",
            f"profiles:\n  빠른:  # quick\n    seed: 3  # why\n{WRITTEN}\n# the end\na: 1\n",
        ),
        ("profiles:\n  one: {seed: 3}", f"profiles:\n  one: {{seed: 3}}\n{WRITTEN}"),
        (
            "profiles:\n    one:\n        text: |\n            a\n\n            b\nlimits: {}\n",
            "profiles:\n    one:\n        text: |\n            a\n\n            b\n"
            + "".join(f"  {line}\n" for line in WRITTEN.splitlines())
            + "limits: {}\n",
        ),
        (
            "profiles:\n  azure:  # old\n    seed: 3\n    tags: [a, b]\n  two:  # kept\n    seed: 4\n",
            f"profiles:\n{WRITTEN}  two:  # kept\n    seed: 4\n",
        ),
    ],
)
def test_a_profile_is_added_or_replaced_and_the_rest_stays(before: str, after: str) -> None:
    assert after == set_profile(before, "azure", OVERLAY)
    assert after == set_profile(after, "azure", OVERLAY)


@pytest.mark.parametrize("text", ["{a: 1}\n", "profiles: {one: {seed: 3}}\n", "profiles:\na: 1\n"])
def test_a_profile_is_not_added_where_others_are_not_one_per_line(text: str) -> None:
    with pytest.raises(EditError):
        set_profile(text, "azure", OVERLAY)
