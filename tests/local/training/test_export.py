"""A model copied out of the state folder answers as it did inside."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

import torch
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM, AutoTokenizer

from runner.errors import RunnerError
from runner.local.export import export, main
from runner.local.layout import Layout
from runner.local.rows import JobRow
from runner.local.store import Store
from runner.local.training.deprecations import library_deprecations_ignored
from runner.local.training.models import load_model
from runner.local.training.train import train
from tests.local.training.fakes import RecordingReporter, make_job, question_and_answer, write_jsonl

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]
JOB = "ftjob-" + "1" * 24
EXAMPLE = question_and_answer("환불은 언제 되나요?", "사흘 안에 환불됩니다.")


@pytest.fixture(scope="module")
def state(chat_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder whose one job trained an adapter, with a checkpoint."""
    folder = tmp_path_factory.mktemp("export")
    layout = Layout(folder / ".finetune")
    train_file = write_jsonl(folder / "t", [EXAMPLE])
    made = make_job(folder, train_file, base_model=str(chat_model), n_epochs=2)
    layout.model(JOB).parent.mkdir(parents=True)
    train(made, RecordingReporter()).model_dir.rename(layout.model(JOB))
    layout.manifest(JOB).write_text("{}")
    layout.checkpoint(JOB, 1).mkdir()
    row = JobRow(
        id=JOB,
        created_at=1,
        model="models/chat",
        base_model=str(chat_model),
        fine_tuned_model="ft:models/chat:local::1",
        training_file="file-1",
        seed=0,
    )
    store = Store(layout.database)
    store.add(row, replace(row, id="ftjob-2"))
    store.close()
    return layout.state


def logits(model: Any, folder: Path) -> torch.Tensor:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found: torch.Tensor = model(**tokenizer("환불은 언제 되나요?", return_tensors="pt")).logits
    return found


@torch.no_grad()
def test_adapter_and_merged_model_give_the_same(state: Path, chat_model: Path, tmp_path: Path) -> None:
    kept = load_model(str(chat_model), Layout(state).model(JOB), allow_network=False)
    for merge, kind in ((False, "adapter"), (True, "merged")):
        target = tmp_path / kind
        target.mkdir()
        assert kind == export(Layout(state), JOB, target, step=None, merge=merge)
        with library_deprecations_ignored():
            model = (AutoModelForCausalLM if merge else AutoPeftModelForCausalLM).from_pretrained(target)
        torch.testing.assert_close(logits(model, target), logits(kept.model, target), atol=1e-4, rtol=1e-4)

    assert not (tmp_path / "adapter" / "manifest.json").exists()
    assert not (tmp_path / "merged" / "adapter_config.json").exists()


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("owner/name@v1", ("owner/name", "v1")),
        ("{project}/models/base@2", ("models/base@2", None)),
        ("/models/base@2", ("/models/base@2", None)),
    ],
)
def test_an_adapter_names_its_base_as_other_programs_read_it(
    state: Path, tmp_path: Path, base: str, expected: tuple[str, str | None]
) -> None:
    """The commit apart, and a folder of the project without where that lies."""
    base = base.format(project=state.parent)
    path = Layout(state).model(JOB) / "adapter_config.json"
    config = path.read_text()
    try:
        path.write_text(json.dumps({**json.loads(config), "base_model_name_or_path": base}))
        export(Layout(state), JOB, tmp_path, step=None, merge=False)
    finally:
        path.write_text(config)
    written = json.loads((tmp_path / "adapter_config.json").read_text())

    assert expected == (written["base_model_name_or_path"], written["revision"])


@pytest.mark.parametrize(
    ("job", "step", "message"),
    [
        ("ftjob-2", None, "the model of ftjob-2 is not on this machine."),
        ("ftjob-3", 1, "the model of ftjob-3 is not on this machine."),
        (JOB, 7, f"{JOB} has no checkpoint of step 7; kept are 1."),
    ],
)
def test_what_is_not_here(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], job: str, step: int | None, message: str
) -> None:
    options = ["--step", str(step)] if step else []
    code = main(["--state", str(state), "--job", job, "--to", str(tmp_path), *options])

    assert (1, {"error": message}) == (code, json.loads(capsys.readouterr().out))


def test_a_base_that_is_gone_is_a_sentence(state: Path, tmp_path: Path) -> None:
    store = Store(Layout(state).database)
    row = store.job("ftjob-2")
    assert row is not None
    store.add(replace(row, id="ftjob-4", base_model="/no/such"))
    store.close()
    Layout(state).model("ftjob-4").symlink_to(Layout(state).model(JOB))
    with pytest.raises(RunnerError) as caught:
        export(Layout(state), "ftjob-4", tmp_path, step=None, merge=True)

    assert "There is no model folder at /no/such." == str(caught.value)
