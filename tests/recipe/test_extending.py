"""Recipes that extend others: what comes out, and the exact words for what cannot."""

from pathlib import Path
from typing import Any

import pytest

from runner.errors import InvalidInputError
from runner.recipe.extending import MAX_FILES
from runner.recipe.load import load_recipe
from runner.recipe.model import Hyperparameters

BASE = """\
version: 1
sources:
  - path: faq.jsonl
key: id
fields:
  question: question
  answer: {path: answer, default: null}
template:
  messages:
    - {role: user, content: "{{ question }}"}
    - {role: assistant, content_file: answer.txt}
split: {validation: 0.1, seed: 7}
training:
  model: tiny-1
  hyperparameters: {n_epochs: 3, batch_size: 4}
"""
CHILD = """\
version: 1
extends: base.yaml
name: faq
"""


def write(folder: Path, **files: str) -> Path:
    """Write `name=text` as name.yaml; returns the last one."""
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path


def composed(path: Path, profile: str = "default") -> dict[str, Any]:
    value: dict[str, Any] = load_recipe(path, profile).document.value
    return value


def problems(path: Path) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        load_recipe(path)
    return [str(issue) for issue in caught.value.issues]


def test_mappings_merge_lists_replace_null_removes(project: Path) -> None:
    child = f"{CHILD}sources: [{{path: other.jsonl}}]\nsplit: {{seed: 8}}\nkey: null\n"
    recipe = composed(write(project, base=BASE, recipe=child))

    assert [{"path": "other.jsonl"}] == recipe["sources"]
    assert {"validation": 0.1, "seed": 8} == recipe["split"]
    assert "key" not in recipe
    assert {"path": "answer", "default": None} == recipe["fields"]["answer"]


def test_a_recipe_written_out_has_the_same_hash(project: Path) -> None:
    """Paths of a base are those of its own folder."""
    (project / "common" / "texts").mkdir(parents=True)
    base = BASE.replace("faq.jsonl", "../recipes/faq.jsonl").replace("answer.txt", "./texts/answer.txt")
    child = CHILD.replace("base.yaml", "../common/base.yaml")
    extending = write(project, **{"common/base": base, "recipes/child": child})
    flat = BASE.replace("answer.txt", "../common/texts/answer.txt") + "name: faq\n"
    whole = write(project, **{"recipes/whole": flat})

    assert load_recipe(whole).recipe == load_recipe(extending).recipe
    assert load_recipe(whole).recipe.sha256 == load_recipe(extending).recipe.sha256


def test_a_change_in_a_base_changes_the_meaning(project: Path) -> None:
    path = write(project, base=BASE, recipe=CHILD)
    before = load_recipe(path).recipe.sha256
    write(project, base=BASE.replace("n_epochs: 3", "n_epochs: 4"))

    assert before != load_recipe(path).recipe.sha256


def test_bases_are_laid_in_order_and_each_once(project: Path) -> None:
    """What two bases share is laid before both."""
    left = "version: 1\nextends: base.yaml\nsplit: {seed: 1}\nkey: left\n"
    right = "version: 1\nextends: base.yaml\nkey: right\n"
    child = CHILD.replace("base.yaml", "[left.yaml, right.yaml]")
    recipe = composed(write(project, base=BASE, left=left, right=right, recipe=child))

    assert ("right", {"validation": 0.1, "seed": 1}) == (recipe["key"], recipe["split"])


def test_another_model_resets_the_hyperparameters(project: Path) -> None:
    child = f"{CHILD}training: {{model: gpt-2, hyperparameters: {{batch_size: 2}}}}\n"
    training = load_recipe(write(project, base=BASE, recipe=child)).recipe.training

    assert Hyperparameters(batch_size=2) == training.hyperparameters


def test_stating_the_default_provider_resets_nothing(project: Path) -> None:
    child = f"{CHILD}training: {{provider: local}}\n"
    training = load_recipe(write(project, base=BASE, recipe=child)).recipe.training

    assert Hyperparameters(n_epochs=3, batch_size=4) == training.hyperparameters


def test_profiles_of_a_base_are_laid_before_those_of_the_recipe(project: Path) -> None:
    """A null in a profile still removes from the recipe, whichever file states it."""
    base = f"{BASE}profiles:\n  long:\n    key: null\n    split: {{seed: 1}}\n  gone: {{key: other}}\n"
    child = f"{CHILD}profiles:\n  long: {{split: {{validation: 0.3}}}}\n  gone: null\n"
    child += "  own: {where: question}\n"
    path = write(project, base=base, recipe=child)

    assert {"validation": 0.3, "seed": 1} == composed(path, "long")["split"]
    assert "key" not in composed(path, "long")
    assert "question" == composed(path, "own")["where"]
    with pytest.raises(Exception, match="found no profile 'gone'. Known here: default, long, own."):
        load_recipe(path, "gone")


def test_a_profile_cannot_be_removed_where_there_is_none(project: Path) -> None:
    path = write(project, base=BASE, recipe=f"{CHILD}profiles: {{gone: null}}\n")

    assert ["recipe.yaml:4:18: $.profiles.gone: found null, expected a mapping."] == problems(path)


def test_problems_are_named_where_they_were_written(project: Path) -> None:
    base = BASE.replace("n_epochs: 3", "n_epochs: 300").replace("split: {", "split: {sed: 1, ")
    child = f"{CHILD}training: {{seed: x, model: null}}\n"

    assert [
        "recipe.yaml:4:11: $.training: the key 'model' is missing. Add it: the base model: tiny-1, "
        "a folder in the project, a Hugging Face name, a model of the provider, or the result of another "
        "recipe.",
        "recipe.yaml:4:18: $.training.seed: found 'x', expected an integer from 0 to 2147483647.",
        "base.yaml:12:9: $.split.sed: found an unknown key 'sed'. Did you mean 'seed'?",
    ] == problems(write(project, base=base, recipe=child))


def test_every_file_states_its_version(project: Path) -> None:
    path = write(project, base=BASE.replace("version: 1\n", ""), recipe=CHILD.replace("1", "2"))

    assert [
        "recipe.yaml:1:10: $.version: found 2, expected 1.",
        "base.yaml:1:1: $: the key 'version' is missing. Add it: version of the recipe language.",
    ] == problems(path)


def test_what_a_base_lacks_is_missed_in_the_recipe(project: Path) -> None:
    path = write(project, base="version: 1\n", recipe=CHILD + "template: {messages: []}\n")

    assert [
        "recipe.yaml:1:1: $: the key 'fields' is missing. Add it: template variables, each read from a "
        "record.",
        "recipe.yaml:1:1: $: the key 'sources' is missing. Add it: where the records come from, read "
        "in this order.",
        "recipe.yaml:1:1: $: the key 'training' is missing. Add it: what to train, where and how.",
        "recipe.yaml:4:22: $.template.messages: found an empty list, expected at least 1. Add one.",
    ] == problems(path)


def test_a_circle_is_shown(project: Path) -> None:
    path = write(
        project,
        a="version: 1\nextends: recipe.yaml\n",
        recipe="version: 1\nextends: a.yaml\nname: faq\n",
    )

    assert [
        "a.yaml:2:10: $.extends: found a circle (recipe.yaml → a.yaml → recipe.yaml), expected bases that do "
        "not lead back. Remove one `extends`."
    ] == problems(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bse.yaml", "found no file at 'bse.yaml', expected a recipe. Did you mean 'base.yaml'?"),
        ("none/x.yaml", "found no file at 'none/x.yaml', expected a recipe. Correct the path."),
        (".", "found a folder at '.', expected a recipe. Correct the path."),
        (
            "../x.yaml",
            "found '../x.yaml' outside the project, expected a file inside it. Move the file there.",
        ),
        (
            "link.yaml",
            "found 'link.yaml' outside the project, expected a file inside it. Move the file there.",
        ),
        ("/etc/passwd", "found the path '/etc/passwd', expected one relative to this file. Change it."),
        (
            "https://a.b/c.yaml",
            "found the URL 'https://a.b/c.yaml', expected a file in the project. Save it there.",
        ),
    ],
)
def test_a_base_that_cannot_be_used(project: Path, tmp_path_factory: Any, name: str, message: str) -> None:
    """The chain is named once there is one."""
    outside = tmp_path_factory.mktemp("outside") / "x.yaml"
    outside.write_text(BASE)
    (project / "link.yaml").symlink_to(outside)
    path = write(project, base=f"version: 1\nextends: {name}\n", recipe=CHILD)

    assert [f"base.yaml:2:10: $.extends: {message} Extended by recipe.yaml → base.yaml."] == problems(path)


def test_a_base_that_is_no_path(project: Path) -> None:
    path = write(project, base=BASE, recipe=CHILD.replace("base.yaml", "[base.yaml, 3]"))

    assert ["recipe.yaml:2:22: $.extends[1]: found 3, expected text. Put it in quotes."] == problems(path)


def test_yaml_problems_of_all_files_are_told_at_once(project: Path) -> None:
    path = write(project, a="key: &x 1\n", b="- 1\n", recipe=CHILD.replace("base.yaml", "[a.yaml, b.yaml]"))

    assert [
        "a.yaml:1:6: found the anchor `&x`, expected a plain value. Write it out, or share it with "
        "`extends`.",
        "b.yaml: found no mapping at the top, expected a recipe. `finetune init DATA` writes one to start "
        "from.",
    ] == problems(path)


def test_the_number_of_files_is_bounded(project: Path) -> None:
    chain = {f"b{number}": f"version: 1\nextends: b{number + 1}.yaml\n" for number in range(MAX_FILES)}
    path = write(project, **chain, recipe=CHILD.replace("base.yaml", "b0.yaml"))

    assert f"found more than {MAX_FILES} files, expected fewer. Merge some of them." in problems(path)[0]


def test_a_model_folder_moves_and_a_model_name_does_not(project: Path) -> None:
    child = CHILD.replace("base.yaml", "../common/base.yaml")
    for written, read in (("./model", "../common/model"), ("../recipes/model", "./model"), ("a/b", "a/b")):
        base = BASE.replace("tiny-1", written)
        path = write(project, **{"common/base": base, "recipes/child": child})
        assert read == composed(path)["training"]["model"]
