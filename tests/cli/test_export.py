"""`export` and `push` before anything is written or sent."""

from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.fake_host import FakeHost


@pytest.fixture
def trained(call: Call, recipe: Path, hosted: FakeHost) -> Path:
    assert 0 == call("run", recipe, "--yes").code
    return Path(recipe.name)


def test_a_hosts_models_stay_there(call: Call, trained: Path) -> None:
    outcome = call("export", "out", trained)

    assert (
        1,
        "error: fake keeps its models; only those trained on this machine can be exported.\n",
    ) == (outcome.code, outcome.err)
    assert not Path("out").exists()


def test_the_network_is_the_operators(call: Call, trained: Path) -> None:
    outcome = call("push", "owner/name", trained)

    assert (
        2,
        "error: the hub is on the network; allow it with --allow-network. Nothing was sent.\n",
    ) == (outcome.code, outcome.err)


def test_a_model_of_another_machine(call: Call, trained: Path) -> None:
    lock = trained.with_name("faq.lock.yaml")
    lock.write_text(lock.read_text().replace("provider: fake", "provider: local"))
    outcome = call("export", "out", trained)

    assert (
        1,
        "error: the model of ftjob-1 is not on this machine; `finetune run faq.yaml` trains it here.\n",
    ) == (outcome.code, outcome.err)
