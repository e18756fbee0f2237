"""Composed recipes through every command that meets them."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

CHILD = "version: 1\nextends: base.yaml\nname: child\n"


@pytest.fixture
def child(recipe: Path, hosted: FakeHost) -> Path:
    """A recipe that extends another."""
    base = recipe.rename(recipe.with_name("base.yaml"))
    base.write_text(base.read_text().replace("name: faq\n", ""))
    path = recipe.with_name("child.yaml")
    path.write_text(CHILD)
    return path


def test_a_change_in_a_base_is_a_change_of_the_recipe(child: Path, call: Call) -> None:
    base = child.with_name("base.yaml")
    done = call("run", child, "--yes")
    again = call("run", child, "--yes")
    assert (0, 0) == (done.code, again.code), done.err
    assert "Nothing to do" in again.out
    assert 0 == call("verify", child).code

    base.write_text(base.read_text().replace("n_epochs: 2", "n_epochs: 3"))

    assert "+ create job: replace because n_epochs 2 → 3" in call("plan", child).out
    verified = call("verify", child)
    assert (6, "child.lock.yaml: job: n_epochs 2 → 3 since it was locked\n") == (verified.code, verified.out)
    assert 6 == call("plan", child, "--locked").code


def test_a_recipe_is_found_although_its_base_has_everything(child: Path, call: Call) -> None:
    assert (0, "child.yaml: valid") == (call("validate").code, call("validate").out[:17])


def test_values_are_set_for_every_command(recipe: Path, hosted: FakeHost, call: Call) -> None:
    chosen = ("--set", "training.hyperparameters.n_epochs=3", "--set", "where=question != 'What is 3?'")
    assert call("validate", recipe).out != call("validate", recipe, *chosen).out
    assert "row 1," in call("preview", recipe, "-n", "1", "--set", "key=question").out
    assert "training: 11 examples" in call("build", recipe, *chosen).out

    done = call("run", recipe, "--yes", *chosen)

    assert 0 == done.code, done.err
    assert "Nothing to do" in call("plan", recipe, *chosen).out
    assert 0 == call("verify", recipe, *chosen).code
    assert "n_epochs 3 → 2; `where` changed" in call("plan", recipe).out


def test_a_saved_plan_keeps_what_was_set(recipe: Path, hosted: FakeHost, call: Call) -> None:
    chosen = ("--set", "training.seed=3")
    assert 0 == call("plan", recipe, *chosen, "--out", "plan.json").code
    refused = call("run", "plan.json", "--yes", *chosen)
    done = call("run", "plan.json", "--yes")

    assert (2, "error: a saved plan is run as it was planned. Leave --set out, or plan again with it.\n") == (
        refused.code,
        refused.err,
    )
    assert 0 == done.code, done.err
    assert [3] == [job["seed"] for job in hosted.jobs.values()]


def test_render_shows_every_origin(child: Path, call: Call) -> None:
    shown = call("render", child, "--set", "training.seed=3")

    assert 0 == shown.code
    assert [
        "training:",
        "  provider: fake                    # base.yaml:15",
        "  model: base-1                     # base.yaml:16",
        "  method: supervised                # default",
        "  hyperparameters:",
        "    n_epochs: 2                     # base.yaml:18",
        "    batch_size: auto                # default",
        "    learning_rate_multiplier: auto  # default",
        "  seed: 3                           # --set",
        "checks:",
        "  json_answers: false               # default",
    ] == shown.out.splitlines()[-11:]


def test_render_without_origins_is_a_recipe_of_the_same_hash(child: Path, call: Call) -> None:
    before = call("render", child, "--json", "--set", "training.seed=3").data
    child.with_name("flat.yaml").write_text(
        call("render", child, "--no-origin", "--set", "training.seed=3").out
    )

    assert before["sha256"] == call("validate", child.with_name("flat.yaml"), "--json").data["sha256"]
    assert {"path": "training.seed", "value": 3, "origin": "--set"} in before["values"]


def test_render_neutralises(recipe: Path, hosted: FakeHost, call: Call) -> None:
    recipe.write_text(recipe.read_text() + 'description: "\\e]0;title\\a"\n')
    shown = call("render", recipe)

    assert 'description: "\\u001b]0;title\\u0007"' in shown.out
    assert "\x1b" not in shown.out


def test_the_guide_shows_what_render_prints(
    call: Call, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its two recipes saved as they stand there."""
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "composition.md").read_text(encoding="utf-8")
    base, faq = re.findall(r"^```yaml\n(.*?)^```", guide, re.M | re.S)[:2]
    for path, text in (("common/base.yaml", base), ("recipes/faq.yaml", faq)):
        (project / path).parent.mkdir()
        (project / path).write_text(text)
    (project / "finetune.toml").touch()
    monkeypatch.chdir(project)
    words, shown = re.findall(r"^\$ finetune (render .*?)\n(.*?)^```", guide, re.M | re.S)[0]

    assert shown == call(*words.split()).out
