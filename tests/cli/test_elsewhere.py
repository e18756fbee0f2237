"""What another machine trained is named as that, with the command that trains it here."""

from pathlib import Path

import pytest

from runner.cli.elsewhere import here
from runner.cli.options import Target
from runner.errors import RunnerError
from runner.providers.base import NotFoundError
from runner.providers.hosts import find_host
from runner.recipe.load import load_recipe
from tests.fakes import MemoryProvider


def target(recipe: Path, host: str) -> Target:
    loaded = load_recipe(recipe)
    return Target(
        provider=MemoryProvider(),
        host=find_host(host),
        project=loaded.project,
        loaded=loaded,
        job_id="ftjob-1",
    )


def test_a_locked_job_of_another_machine_is_trained_here_by_run(local_recipe: Path) -> None:
    with pytest.raises(RunnerError) as caught, here(target(Path("faq.yaml"), "local")):
        raise NotFoundError("local: Could not find fine tune: ftjob-1")

    assert "ftjob-1 is not on this machine; `finetune run faq.yaml` trains it here." == str(caught.value)


def test_what_a_hosted_provider_lacks_is_told_as_it_says(local_recipe: Path) -> None:
    with pytest.raises(NotFoundError) as caught, here(target(Path("faq.yaml"), "openai")):
        raise NotFoundError("openai: Could not find fine tune: ftjob-1")

    assert "openai: Could not find fine tune: ftjob-1" == str(caught.value)
