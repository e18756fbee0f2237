"""Drift between a recipe and its lockfile: `verify`, `plan --locked`, `run --locked`."""

from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.fake_host import FakeHost


@pytest.fixture
def locked(call: Call, recipe: Path, hosted: FakeHost) -> Path:
    """A recipe after its run."""
    assert 0 == call("run", recipe, "--yes").code
    return recipe


def test_an_unchanged_recipe_verifies(call: Call, locked: Path) -> None:
    outcome = call("verify", locked)

    assert (0, "faq.lock.yaml: verified (2 files, 12 records)\n") == (outcome.code, outcome.out)
    assert 0 == call("run", locked, "--locked").code


def test_a_changed_record_is_drift(call: Call, locked: Path) -> None:
    data = locked.with_name("faq.jsonl")
    data.write_text(data.read_text().replace("It is number 3.", "It is three."))
    outcome = call("verify", locked)

    assert 6 == outcome.code
    assert [
        "faq.lock.yaml: source: faq.jsonl has other bytes",
        "faq.lock.yaml: dataset: training_file has other bytes (example: 1 changed)",
        "faq.lock.yaml: dataset: record id=3 (faq.jsonl, row 4): message 2 (assistant): "
        '"It is number 3." → "It is three."',
    ] == outcome.out.splitlines()


def test_a_changed_setting_is_drift(call: Call, locked: Path, hosted: FakeHost) -> None:
    locked.write_text(locked.read_text().replace("n_epochs: 2", "n_epochs: 3"))
    planned, ran = call("plan", locked, "--locked"), call("run", locked, "--locked", "--yes")
    message = (
        "error: faq.lock.yaml is stale: job: n_epochs 2 → 3 since it was locked. "
        f"`finetune run {locked}` without --locked brings it up to date.\n"
    )

    assert (6, 6) == (planned.code, ran.code)
    assert message == planned.err == ran.err
    assert 1 == len(hosted.jobs)


def test_a_changed_template_is_drift(call: Call, locked: Path) -> None:
    locked.write_text(locked.read_text().replace('"{{ question }}"', '"{{ question }}!"'))
    outcome = call("verify", locked, "--json")

    assert 6 == outcome.code
    assert {
        "ok": False,
        "differences": [
            {"stage": "recipe", "name": "`templates`", "what": "changed"},
            {"stage": "dataset", "name": "training_file", "what": "has other bytes (examples: 12 changed)"},
            {
                "stage": "dataset",
                "name": "record id=0 (faq.jsonl, row 1)",
                "what": "changed",
                "record": {
                    "record": "record id=0 (faq.jsonl, row 1)",
                    "what": "changed",
                    "field": "message 1 (user)",
                    "before": "What is 0?",
                    "after": "What is 0?!",
                },
            },
        ],
    } == outcome.data


def test_a_comment_is_no_drift(call: Call, locked: Path) -> None:
    locked.write_text(f"# for us\n{locked.read_text()}")

    assert 0 == call("verify", locked).code


def test_without_a_lock_there_is_nothing_to_compare(call: Call, recipe: Path, hosted: FakeHost) -> None:
    outcome = call("verify", recipe)

    assert (
        6,
        f"error: faq.lock.yaml has no run for the profile 'default'. `finetune run {recipe}` makes one.\n",
    ) == (outcome.code, outcome.err)


def test_a_tampered_dataset_cache_does_not_fool_it(call: Call, locked: Path) -> None:
    """The files of the last build are not trusted: everything is rendered and hashed again."""
    for path in (locked.parent / ".finetune" / "datasets").glob("*.jsonl"):
        path.write_bytes(path.read_bytes().replace(b"It is", b"it is"))

    assert 0 == call("verify", locked).code


def test_a_price_above_max_cost_is_refused(call: Call, recipe: Path, hosted: FakeHost) -> None:
    outcome = call("run", recipe, "--yes", "--max-cost", "0.2")

    assert 8 == outcome.code
    assert "above --max-cost of $0.2. Nothing was sent." in outcome.err
