"""What becomes of a training at another host."""

from dataclasses import replace
from typing import Any

import pytest

from runner.errors import UsageError
from runner.providers.hosts import HostModel, find_host
from runner.providers.porting import Porting, port_training
from runner.recipe.model import Hyperparameters, RecipeModel, Training

MINI = "gpt-4.1-mini-2025-04-14"
NUMBERS = Hyperparameters(n_epochs=3, batch_size=8, learning_rate_multiplier=2.0)


def ported(source: str, target: str, chosen: str | None = None, /, **values: Any) -> Porting:
    training = Training(**{"provider": source, "model": MINI, **values})
    return port_training(training, find_host(source), find_host(target), chosen)


def said(porting: Porting) -> list[str]:
    return [f"{value.state}: {value}" for value in porting.values]


def test_the_same_model_elsewhere_keeps_every_value() -> None:
    porting = ported("openai", "azure", hyperparameters=NUMBERS, suffix="faq")

    assert [
        "same: method 'supervised'",
        "same: n_epochs 3",
        "same: batch_size 8",
        "same: learning_rate_multiplier 2.0",
        "same: suffix 'faq'",
    ] == said(porting)
    assert {
        "training": {
            "provider": "azure",
            "model": MINI,
            "hyperparameters": {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 2.0},
        }
    } == porting.overlay


def test_a_multiplier_of_another_models_rate_is_not_carried_over() -> None:
    porting = ported("openai", "azure", "gpt-4o-2024-08-06", hyperparameters=NUMBERS)

    assert (
        "lost: learning_rate_multiplier 2.0 → 'auto': it multiplies what openai takes for "
        f"{MINI}, and gpt-4o-2024-08-06 is another model"
    ) in said(porting)
    assert {"n_epochs": 3, "batch_size": 8} == porting.overlay["training"]["hyperparameters"]


def test_what_a_host_has_no_name_for_is_lost_with_what_it_has_instead() -> None:
    lost = [line for line in said(ported("openai", "nebius", "m", hyperparameters=NUMBERS)) if "lost" in line]

    assert 1 == len(lost)
    assert lost[0].startswith(
        "lost: learning_rate_multiplier 2.0 → 'auto': nebius has no equal; its own are 'learning_rate', "
    )


def test_another_name_for_the_same_is_a_translation() -> None:
    target = replace(
        find_host("nebius"), methods={"supervised": {"n_epochs": "epochs"}}, models=(HostModel(name="m"),)
    )
    training = Training(provider="openai", model=MINI, hyperparameters=Hyperparameters(n_epochs=3))
    porting = port_training(training, find_host("openai"), target)

    assert ["same: method 'supervised'", "translated: n_epochs 3 → 3: called epochs there"] == said(porting)
    assert {"provider": "nebius", "model": "m", "hyperparameters": {"n_epochs": 3}} == porting.overlay[
        "training"
    ]


def test_numbers_of_the_built_in_model_mean_nothing_elsewhere() -> None:
    porting = ported("local", "openai", MINI, model="tiny-1", hyperparameters=Hyperparameters(n_epochs=40))

    assert (
        "lost: n_epochs 40 → 'auto': chosen for tiny-1, which is made to memorise on this machine"
    ) in said(porting)
    assert {"provider": "openai", "model": MINI} == porting.overlay["training"]


@pytest.mark.parametrize(
    ("suffix", "target", "expected", "stated"),
    [
        ("faq.v2", "azure", "translated: suffix 'faq.v2' → 'faq-v2'", "faq-v2"),
        (
            "a-name-that-is-too-long",
            "azure",
            "translated: suffix 'a-name-that-is-too-long' → 'a-name-that-is-too'",
            "a-name-that-is-too",
        ),
        ("...", "azure", "lost: suffix '...' → null", None),
        ("안내-가이드", "azure", "same: suffix '안내-가이드'", "unstated"),
    ],
)
def test_a_suffix_follows_the_hosts_rules(
    suffix: str, target: str, expected: str, stated: str | None
) -> None:
    porting = ported("openai", target, suffix=suffix)

    assert said(porting)[-1].startswith(expected)
    assert stated == porting.overlay["training"].get("suffix", "unstated")


def test_a_host_without_suffixes_gets_none() -> None:
    target = replace(find_host("azure"), limits=replace(find_host("azure").limits, max_suffix_characters=0))
    porting = port_training(Training(model=MINI, provider="openai", suffix="x"), find_host("openai"), target)

    assert "lost: suffix 'x' → null: azure takes no suffix" == said(porting)[-1]


def test_options_of_one_host_are_taken_away_at_another() -> None:
    porting = ported("azure", "openai", options={"trainingType": "Standard"})

    assert "lost: options.trainingType 'Standard' → null: openai has no such option" == said(porting)[-1]
    assert {"trainingType": None} == porting.overlay["training"]["options"]


@pytest.mark.parametrize(
    ("target", "values", "expected"),
    [
        (
            "bedrock",
            {},
            "the recipe trains with 'supervised', bedrock has 'reinforcement'. Choose another host.",
        ),
        (
            "nebius",
            {},
            f"nebius has no model '{MINI}' in its host entry. Its entry lists none. Name one with --model.",
        ),
        ("openai", {}, f"the recipe trains {MINI} at openai already. Name another --model."),
        (
            "azure",
            {"model": RecipeModel(recipe="sft.yaml")},
            "the recipe trains the result of sft.yaml, and a tuned model stays where it was made. Port that "
            "recipe first, then name its new profile under `training.model`.",
        ),
    ],
)
def test_what_cannot_be_ported_is_said(target: str, values: dict[str, Any], expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        ported("openai", target, **values)

    assert expected == str(caught.value)


def test_to_this_machine_goes_the_only_model_or_one_of_the_hub() -> None:
    assert "tiny-1" == ported("openai", "local").model
    assert "Qwen/Qwen3-0.6B" == ported("nebius", "local", model="Qwen/Qwen3-0.6B").model
