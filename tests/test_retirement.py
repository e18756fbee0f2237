"""Base models that are closed soon are found in host entries, ahead of time and without any provider."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.operator import Operator
from runner.retirement import Closing, closings
from tests.fakes import StillClock
from tests.small_project import RECIPE, write_project

MINI = "gpt-4.1-mini-2025-04-14"
OPENAI = RECIPE.replace("provider: fake", "provider: openai").replace("base-1", MINI)
PROFILES = (
    OPENAI
    + """\
    learning_rate_multiplier: 2
profiles:
  azure:
    training:
      provider: azure
      model: gpt-4.1-mini-2025-04-14
  here:
    training:
      provider: local
      model: tiny-1
"""
)


def found(recipe: Path, day: str, within_days: int) -> list[Closing]:
    now = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    return closings([recipe], Operator(clock=StillClock(time=now)), within_days)


def test_dates_within_the_days_are_found_by_date(tmp_path: Path) -> None:
    recipe = write_project(tmp_path, PROFILES)

    assert [
        f"faq.yaml: {MINI} at openai takes no new jobs from 2027-01-06, in 45 days",
        f"faq.yaml: {MINI} at openai shuts down on 2027-01-14, in 53 days",
    ] == [str(closing) for closing in found(recipe, "2026-11-22", 60)]


@pytest.mark.parametrize(("within_days", "expected"), [(44, 0), (45, 1), (52, 1), (53, 2), (400, 4)])
def test_the_last_day_counts(tmp_path: Path, within_days: int, expected: int) -> None:
    assert expected == len(found(write_project(tmp_path, PROFILES), "2026-11-22", within_days))


def test_what_is_closed_already_is_found_for_any_days(tmp_path: Path) -> None:
    closed = found(write_project(tmp_path, OPENAI), "2027-02-01", 0)

    assert f"faq.yaml: {MINI} at openai shuts down on 2027-01-14, 18 days ago" == str(closed[1])


def test_the_ways_out_begin_with_hosts_that_have_the_very_model(tmp_path: Path) -> None:
    recipe = write_project(tmp_path, PROFILES)
    ways = found(recipe, "2026-11-22", 60)[0].ways

    assert (
        f"`finetune port {recipe} --to azure` keeps method, n_epochs, learning_rate_multiplier; "
        f"{MINI} is trained there until 2027-04-14"
    ) == ways[0]
    assert (
        f"`finetune port {recipe} --to crusoe --model MODEL` keeps method, n_epochs, loses "
        "learning_rate_multiplier"
    ) in ways
    assert not any("bedrock" in way for way in ways)


def test_the_way_out_of_a_profile_names_it(tmp_path: Path) -> None:
    azure = [
        closing for closing in found(write_project(tmp_path, PROFILES), "2026-11-22", 400) if closing.ways
    ]
    ways = next(closing.ways for closing in azure if closing.provider == "azure")

    assert f"`finetune port {tmp_path / 'faq.yaml'} --to openai --profile azure` keeps method; " in ways[0]


def test_a_host_where_the_model_is_gone_too_is_no_way_out(tmp_path: Path) -> None:
    ways = found(write_project(tmp_path, OPENAI), "2027-05-01", 0)[0].ways

    assert not any("--to azure" in way for way in ways)


def test_a_model_without_dates_has_no_closings(tmp_path: Path) -> None:
    local = RECIPE.replace("provider: fake", "provider: local").replace("base-1", "tiny-1")

    assert [] == found(write_project(tmp_path, local), "2026-11-22", 10_000)
