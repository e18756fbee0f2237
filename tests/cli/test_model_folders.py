"""A model in a folder, named from the recipe's folder and told to the service from the project's."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.lock.lockfile import read_lockfile
from tests.cli.conftest import Call
from tests.local.harness import RunningService, start_service
from tests.local.harness import call as ask
from tests.small_project import write_model_folder


@pytest.fixture
def service(local_recipe: Path) -> Iterator[RunningService]:
    """The project's local service, whose training takes no time."""
    running = start_service(local_recipe.with_name(".finetune"))
    yield running
    running.stop()


@pytest.mark.parametrize("name", ["./models/base", "models/../models/base/"])
def test_a_folder_may_be_named_in_any_way(
    call: Call, local_recipe: Path, service: RunningService, name: str
) -> None:
    """The result is locked under the recipe's own word for it."""
    write_model_folder(local_recipe.with_name("models") / "base")
    local_recipe.write_text(local_recipe.read_text().replace("model: tiny-1", f"model: {name}"))
    outcome = call("run", local_recipe)
    job = read_lockfile(local_recipe.with_name("faq.lock.yaml")).runs["default"].job

    assert 0 == outcome.code, outcome.err
    assert job is not None
    assert (name, "succeeded") == (job.model, job.status)
    assert "models/base" == ask(service, "GET", f"/v1/fine_tuning/jobs/{job.id}")[1]["model"]
    assert "Nothing to do" in call("run", local_recipe).out


def test_a_recipe_beside_the_models_and_a_folder_that_is_gone(
    call: Call, local_recipe: Path, service: RunningService
) -> None:
    """Once it was sent, its place is enough to know the job again."""
    models = local_recipe.with_name("models")
    write_model_folder(models / "base")
    text = local_recipe.read_text().replace("model: tiny-1", "model: base").replace("path: ", "path: ../")
    recipe = models / "faq.yaml"
    recipe.write_text(text)
    ran = call("run", recipe)
    shutil.rmtree(models / "base")
    outcome = call("watch", recipe)

    assert (0, 0) == (ran.code, outcome.code), ran.err + outcome.err


def test_a_model_that_cannot_be_trained_is_refused_before_anything_is_sent(
    call: Call, local_recipe: Path
) -> None:
    """As its job would refuse it: a base model without a chat template, and weights that can run code."""
    folder = local_recipe.with_name("base")
    write_model_folder(folder)
    local_recipe.write_text(local_recipe.read_text().replace("model: tiny-1", "model: ./base"))
    whole = call("validate", local_recipe)
    (folder / "chat_template.jinja").unlink()
    untaught = call("validate", local_recipe)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    pickled = call("plan", local_recipe)

    assert (0, 1, 1) == (whole.code, untaught.code, pickled.code)
    assert untaught.err.splitlines()[0].endswith(
        "training.model: the model './base' cannot be loaded: it has no chat template, in "
        "chat_template.jinja or tokenizer_config.json. Choose a model made for chat (often called "
        "instruct), or add a template."
    )
    assert pickled.err.splitlines()[0].endswith(
        "training.model: the model './base' cannot be loaded: it has no safetensors weights, and other "
        "formats can run code. Save the model as safetensors."
    )
