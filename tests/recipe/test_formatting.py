"""One layout for all recipes: what moves, what stays, and that the meaning is the same."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import InvalidInputError
from runner.recipe.formatting import format_recipe
from runner.recipe.load import load_profiles
from runner.recipe.written import comments_of
from runner.recipe.yaml import parse_yaml
from tests.example_recipes import example_recipes

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LAYOUTS = sorted((HERE / "layout").glob("*.yaml"))
RECIPES = example_recipes()
VALID = [*LAYOUTS, *RECIPES, *sorted((HERE / "valid").glob("*.yaml"))]

SMALL = """\
version: 1
name: faq

sources:
  - path: a.jsonl

fields:
  question: question

template:
  messages:
    - role: user
      content: "{{ question }}"

training:
  model: tiny-1
"""


def meaning(content: bytes, project: Path) -> dict[str, str]:
    """The hash of a recipe under every profile."""
    path = project / "recipe.yaml"
    path.write_bytes(content)
    for base in RECIPES:
        # Some train the result of another.
        (project / base.name).write_bytes(base.read_bytes())
    return {name: loaded.recipe.sha256 for name, loaded in load_profiles(path).items()}


@pytest.mark.parametrize("case", LAYOUTS, ids=lambda case: case.stem)
def test_the_layout_of_a_case(case: Path) -> None:
    laid_out = format_recipe(case.read_bytes(), case.name).decode()

    assert case.with_suffix(".txt").read_text(encoding="utf-8") == laid_out


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.stem)
def test_the_meaning_and_every_comment_are_kept(case: Path, project: Path) -> None:
    before = case.read_bytes()
    after = format_recipe(before, case.name)

    assert meaning(before, project) == meaning(after, project)
    assert comments_of(before.decode("utf-8-sig")) == comments_of(after.decode())
    assert after == format_recipe(after, case.name)


@pytest.mark.parametrize("case", RECIPES, ids=lambda case: case.stem)
def test_our_recipes_are_laid_out(case: Path) -> None:
    assert case.read_text(encoding="utf-8") == format_recipe(case.read_bytes(), case.name).decode()


def test_line_ends_and_byte_order_marks_go() -> None:
    windows = b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode()

    assert SMALL == format_recipe(windows, "x.yaml").decode()


def test_the_order_of_fields_means_something_and_stays() -> None:
    """Variables may depend on it, and the schema names none of them."""
    text = SMALL.replace("  question: question\n", "  b: x\n  a: y\n  question: question\n")

    assert text == format_recipe(text.encode(), "x.yaml").decode()


def test_the_last_line_may_lack_its_break() -> None:
    """A block scalar there has no break to keep, and must not get one."""
    text = SMALL.replace("training:\n  model: tiny-1\n", "training: {model: tiny-1}\nwhere: |\n  question")
    laid_out = format_recipe(text.encode(), "x.yaml").decode()

    assert "where: |-\n  question\n" in laid_out


def test_a_base_that_others_extend_is_laid_out() -> None:
    """It is no whole recipe; what is missing or wrong in it is for `validate` to say."""
    assert "version: 1\n\ntraining:\n  modle: x\n" == (
        format_recipe(b"training: {modle: x}\nversion: 1\n", "base.yaml").decode()
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.yaml: found an empty file, expected a recipe."),
        ("- a\n", "x.yaml: found no mapping at the top, expected a recipe."),
        ("services: {}\nversion: 1\n", "x.yaml:1:1: $.services: found an unknown key 'services'."),
        ("version: 2\n", "x.yaml:1:10: $.version: found 2, expected 1."),
        ("name: x\n", "x.yaml:1:1: $: the key 'version' is missing."),
        ("version: 1\nname: a\nname: b\n", "x.yaml:3:1: $.name: found the key 'name' again"),
        ("version: 1\nname: [\n", "x.yaml:3:1: not valid YAML: "),
    ],
)
def test_what_is_no_recipe_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        format_recipe(text.encode(), "x.yaml")

    assert str(caught.value).startswith(message)


LETTERS = "ab 가나:#-{}[]'\"\\|>&*!%@`,?~\n\t0."
texts = st.text(alphabet=LETTERS, min_size=1, max_size=12)
comments = st.sampled_from(["", "", "", "\n", "# why\n", "\n\n# 왜\n# so\n", "# {a: b}\n\n"])


def written(value: object, draw: random.Random, depth: int, comment: list[str]) -> str:
    """A value as some author might write it; what follows a key or dash."""
    if isinstance(value, str):
        return text_written(value, draw, depth, comment)
    if not isinstance(value, dict | list) or not value or draw.random() < 0.2:
        return f" {json.dumps(value, ensure_ascii=False)}\n"
    margin = " " * (depth + draw.choice([2, 3, 5]))
    lines = ["\n"]
    items = list(value.items()) if isinstance(value, dict) else [(None, item) for item in value]
    for key, item in items:
        for line in comment[draw.randrange(len(comment))].splitlines():
            lines.append(f"{margin}{line}".rstrip() + "\n")
        head = "-" if key is None else f"{key}:"
        lines.append(f"{margin}{head}{written(item, draw, len(margin), comment)}")
    return "".join(lines)


def text_written(value: str, draw: random.Random, depth: int, comment: list[str]) -> str:
    """Text in one of the styles that can hold it."""
    n_breaks = len(value) - len(value.rstrip("\n"))
    # A block that keeps its last line breaks would take an empty line below it for one of them.
    fits_block = n_breaks < 2 or not any(text.startswith("\n") for text in comment)
    style = draw.choice(["single", "double", "block"])
    if style == "single" and "\n" not in value:
        quoted = value.replace("'", "''")
        return f" '{quoted}'   # quoted\n"
    if style == "block" and value.strip() and "\t" not in value and fits_block:
        margin = " " * (depth + draw.choice([1, 2, 4]))
        indent = len(margin) - depth
        body = "".join(f"{margin}{line}\n" if line else "\n" for line in value.rstrip("\n").split("\n"))
        chomping = "-" if n_breaks == 0 else "" if n_breaks == 1 else "+"
        return f" |{indent}{chomping}\n{body}" + "\n" * max(n_breaks - 1, 0)
    return f" {json.dumps(value, ensure_ascii=False)}\n"


@settings(max_examples=60, deadline=None)
@given(
    contents=st.lists(texts, min_size=1, max_size=4),
    default=st.recursive(
        texts | st.integers(-1000, 1000) | st.none(), lambda inner: st.lists(inner, max_size=3)
    ),
    comment=st.lists(comments, min_size=1, max_size=4),
    seed=st.integers(0, 10_000),
)
def test_any_recipe_keeps_its_meaning_and_comments(
    contents: list[str], default: object, comment: list[str], seed: int
) -> None:
    """Keys in any order, text in any style, comments anywhere: laid out, it says the same."""
    draw = random.Random(seed)
    messages = [shuffled({"role": "user", "content": text}, draw) for text in contents]
    fields = {"b": shuffled({"path": contents[0], "default": default, "trim": True}, draw), "a": "x"}
    recipe = {
        "name": "faq",
        "version": 1,
        "sources": [{"path": "a.jsonl", "format": "jsonl"}, {"path": "b.jsonl"}],
        "fields": fields,
        "template": {"messages": messages},
        "training": shuffled({"model": contents[-1], "seed": 3, "hyperparameters": {"n_epochs": 1}}, draw),
        "profiles": {"big": {"training": {"seed": 4}, "fields": {"z": "z", "y": "y"}}},
    }
    text = "".join(
        f"{comment[draw.randrange(len(comment))]}{key}:{written(value, draw, 0, comment)}"
        for key, value in shuffled(recipe, draw).items()
    )
    before, _ = parse_yaml(text.encode(), "x.yaml")
    after = format_recipe(text.encode(), "x.yaml")
    read, _ = parse_yaml(after, "x.yaml")

    assert before is not None and before.value == recipe
    assert read is not None and read.value == recipe
    assert ["b", "a"] == list(read.value["fields"])
    assert comments_of(text) == comments_of(after.decode())
    assert after == format_recipe(after, "x.yaml")


def shuffled(value: dict[str, object], draw: random.Random) -> dict[str, object]:
    """The same mapping in another order."""
    return dict(draw.sample(list(value.items()), len(value)))
