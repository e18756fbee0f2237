"""Where the values of a composed recipe come from."""

from pathlib import Path

from runner.recipe.load import load_recipe
from runner.recipe.origins import render_recipe
from tests.recipe.test_extending import BASE, write

CHILD = """\
version: 1
extends: base.yaml
name: faq
profiles:
  long:
    training: {hyperparameters: {n_epochs: 9}}
"""


def origins(path: Path, *, with_defaults: bool = False) -> dict[str, tuple[object, str]]:
    document = load_recipe(path, "long", ["training.seed=5", "limits.max_cost_usd=2"]).document
    rendered = render_recipe(document, with_defaults=with_defaults)
    return {".".join(map(str, keys)): (value, rendered.origins[keys]) for keys, value in rendered.leaves()}


def test_every_value_has_its_origin_in_canonical_order(project: Path) -> None:
    assert {
        "version": (1, "recipe.yaml:1"),
        "name": ("faq", "recipe.yaml:3"),
        "sources.0.path": ("faq.jsonl", "base.yaml:3"),
        "key": ("id", "base.yaml:4"),
        "fields.question": ("question", "base.yaml:6"),
        "fields.answer.path": ("answer", "base.yaml:7"),
        "fields.answer.default": (None, "base.yaml:7"),
        "template.messages.0.role": ("user", "base.yaml:10"),
        "template.messages.0.content": ("{{ question }}", "base.yaml:10"),
        "template.messages.1.role": ("assistant", "base.yaml:11"),
        "template.messages.1.content_file": ("answer.txt", "base.yaml:11"),
        "split.validation": (0.1, "base.yaml:12"),
        "split.seed": (7, "base.yaml:12"),
        "training.model": ("tiny-1", "base.yaml:14"),
        "training.hyperparameters.n_epochs": (9, "profile long, recipe.yaml:6"),
        "training.hyperparameters.batch_size": (4, "base.yaml:15"),
        "training.seed": (5, "--set"),
        "limits.max_cost_usd": (2, "--set"),
    } == origins(write(project, base=BASE, recipe=CHILD))


def test_the_order_is_that_of_the_schema(project: Path) -> None:
    head, _, rest = BASE.partition("sources:")
    ordered = list(origins(write(project, base=BASE, recipe=CHILD)))
    mixed = write(
        project, base=f"{head}training: {rest.split('training:')[1]}sources:{rest.split('training:')[0]}"
    )

    assert ordered == list(origins(mixed.with_name("recipe.yaml")))


def test_defaults_are_filled_in_where_a_section_is_left_out(project: Path) -> None:
    base = BASE.replace("split: {validation: 0.1, seed: 7}\n", "").partition("  hyper")[0]
    found = origins(write(project, base=base, recipe=CHILD), with_defaults=True)
    defaults = {path: value for path, (value, origin) in found.items() if origin == "default"}

    assert {
        "sources.0.encoding": "utf-8",
        "sources.0.weight": 1.0,
        "fields.answer.required": True,
        "fields.answer.trim": False,
        "fields.answer.collapse_space": False,
        "split.validation": 0,
        "split.seed": 0,
        "training.provider": "local",
        "training.method": "supervised",
        "training.hyperparameters.batch_size": "auto",
        "training.hyperparameters.learning_rate_multiplier": "auto",
        "checks.json_answers": False,
    } == defaults
