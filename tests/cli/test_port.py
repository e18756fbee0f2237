"""A recipe moves to another host: what that means is said, and the profile for it is written."""

from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

COMMENT = "# 학습 설정: see the guide\n"


@pytest.fixture
def local(recipe: Path, hosted: FakeHost) -> Path:
    """A recipe that trains on this machine, with a comment."""
    text = recipe.read_text().replace("provider: fake", "provider: local").replace("base-1", "tiny-1")
    recipe.write_text(
        text.replace("training:\n", f"{COMMENT}training:\n") + "  suffix: faq.and.more.than.18\n"
    )
    return recipe


def test_a_port_says_what_changes_and_writes_the_profile(call: Call, local: Path, hosted: FakeHost) -> None:
    before = local.read_text()
    outcome = call("port", local, "--to", "fake", "--model", "base-1")

    assert 0 == outcome.code
    assert [
        "faq.yaml: local, tiny-1 → fake, base-1 (profile fake)",
        "  stays       method 'supervised'",
        "  translated  suffix 'faq.and.more.than.18' → 'faq.and.more.than.': fake takes at most 18 "
        "characters",
        "  lost        n_epochs 2 → 'auto': chosen for tiny-1, which is made to memorise on this machine",
        "  data        12 examples in 1,240 bytes; fake takes from 10 examples on, files up to 536,870,912 "
        "bytes",
        "  price       $0.00 (trains on this machine) → $1.73 (216 tokens (estimated, ±30 %) × 8 epochs "
        "(auto, estimated) × $1000 per million tokens (table of 2026-11-22), rounded up)",
        "  closing     no new jobs from 2027-01-06",
        "--- a/faq.yaml",
        "+++ b/faq.yaml",
    ] == outcome.out.splitlines()[:9]
    assert (
        f"wrote faq.yaml; `finetune plan {local} --profile fake` shows what a run would do\n" == outcome.err
    )
    assert (
        f"{before}\nprofiles:\n  fake:\n    training:\n      provider: fake\n      model: base-1\n"
        "      suffix: faq.and.more.than.\n"
    ) == local.read_text()
    assert [] == hosted.requests


def test_the_ported_recipe_is_planned_and_run(call: Call, local: Path, hosted: FakeHost) -> None:
    ported = call("port", local, "--to", "fake", "--model", "base-1", "--as", "hosted")
    planned = call("plan", local, "--profile", "hosted")
    ran = call("run", local, "--profile", "hosted", "--yes")

    assert [0, 0, 0] == [ported.code, planned.code, ran.code]
    assert f"fake ({hosted.url}), model base-1" == planned.out.splitlines()[0]
    assert "faq.and.more.than." == hosted.bodies[0]["suffix"]


def test_a_dry_run_writes_nothing(call: Call, local: Path) -> None:
    before = local.read_text()
    outcome = call("port", local, "--to", "fake", "--model", "base-1", "--dry-run", "--json")

    assert (0, before) == (outcome.code, local.read_text())
    assert outcome.data["written"] is False
    assert {"provider": "fake", "model": "base-1"} == outcome.data["port"]["to"]
    assert "+  fake:" in outcome.data["port"]["diff"].splitlines()


def test_a_profile_is_replaced_only_when_asked(call: Call, local: Path) -> None:
    call("port", local, "--to", "fake", "--model", "base-1")
    refused = call("port", local, "--to", "fake", "--model", "base-priceless")
    replaced = call("port", local, "--to", "fake", "--model", "base-priceless", "--replace")

    assert (2, 0) == (refused.code, replaced.code)
    assert (
        "error: faq.yaml has a profile 'fake' already. Name another one with --as, or --replace it.\n"
    ) == refused.err
    assert "      model: base-priceless\n" in local.read_text()


def test_a_port_starts_from_a_profile_and_keeps_what_else_it_states(call: Call, local: Path) -> None:
    overlay = "    split:\n      validation: 0.1\n      seed: 3\n    training:\n      seed: 7\n"
    local.write_text(f"{local.read_text()}\nprofiles:\n  small:\n{overlay}")
    outcome = call("port", local, "--to", "fake", "--model", "base-1", "--profile", "small")

    assert 0 == outcome.code
    assert local.read_text().endswith(
        "  fake:\n    split:\n      validation: 0.1\n      seed: 3\n    training:\n      seed: 7\n"
        "      provider: fake\n      model: base-1\n      suffix: faq.and.more.than.\n"
    )


def test_data_that_does_not_fit_there_stops_it(call: Call, local: Path) -> None:
    data = local.with_name("faq.jsonl")
    data.write_text("".join(data.read_text().splitlines(keepends=True)[:9]))
    before = local.read_text()
    outcome = call("port", local, "--to", "fake", "--model", "base-1")

    assert (1, before) == (outcome.code, local.read_text())
    assert "does not fit: " in outcome.out
    assert outcome.err.endswith(
        "error: the data does not fit fake, so nothing was written. Repair it, then port again.\n"
    )


def test_what_the_target_lacks_is_a_usage_error(call: Call, local: Path) -> None:
    outcome = call("port", local, "--to", "fake")

    assert 2 == outcome.code
    assert (
        "error: fake has no model 'tiny-1' in its host entry. It has 'base-1', 'base-0', 'base-priceless'. "
        "Name one with --model.\n"
    ) == outcome.err


def test_a_profile_that_a_base_states_too_is_not_mixed_with_it(call: Call, local: Path) -> None:
    base = local.with_name("base.yaml")
    base.write_text(
        f"{local.read_text()}\nprofiles:\n  fake:\n    split:\n      validation: 0.1\n      seed: 3\n"
    )
    local.write_text("version: 1\nextends: base.yaml\nname: faq-2\n")
    refused = call("port", local, "--to", "fake", "--model", "base-1")
    named = call("port", local, "--to", "fake", "--model", "base-1", "--as", "hosted", "--dry-run")

    assert (2, 0) == (refused.code, named.code)
    assert (
        "error: faq.yaml: the profile 'fake' would not say what was ported, because a file that the recipe "
        "extends has a part in it too. Name another one with --as, or port that file.\n"
    ) == refused.err
