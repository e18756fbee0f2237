"""A recipe's training in a host's own words: pytest tests/providers/test_translation.py"""

from typing import Any

import pytest

from runner.providers.hosts import find_host
from runner.providers.translation import Wording, training_problems, worded
from runner.recipe.model import Hyperparameters, Training


def training(host: str, **values: Any) -> Training:
    return Training(**{"provider": host, "model": "a-model", **values})


def problems(host: str, **values: Any) -> list[tuple[str, str]]:
    found = training_problems(training(host, **values), find_host(host), "m")
    return [(".".join(map(str, keys)), message) for keys, message in found]


def test_openai_gets_its_own_names_and_auto() -> None:
    asked = training("openai", hyperparameters=Hyperparameters(n_epochs=3))
    expected = {"n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": "auto"}

    assert Wording(hyperparameters=expected, body={}) == worded(asked, find_host("openai"))


def test_a_host_without_auto_gets_what_was_stated_and_its_own_options() -> None:
    asked = training(
        "nebius",
        hyperparameters=Hyperparameters(n_epochs=3),
        options={"learning_rate": 2e-5, "lora": True},
    )

    assert [] == problems("nebius", hyperparameters=asked.hyperparameters, options=asked.options)
    assert Wording(hyperparameters={"n_epochs": 3, "learning_rate": 2e-5, "lora": True}, body={}) == worded(
        asked, find_host("nebius")
    )


def test_the_local_service_gets_its_options_among_the_hyperparameters() -> None:
    asked = training("local", options={"adapter": "qlora", "early_stopping_patience": 2})
    expected = {"adapter": "qlora", "early_stopping_patience": 2}

    assert [] == problems("local", options=asked.options)
    assert expected.items() <= worded(asked, find_host("local")).hyperparameters.items()


def test_an_option_that_a_model_has_no_use_for_is_refused_not_ignored() -> None:
    asked = training("local", options={"adapter": "lora", "lora_r": 8})
    found = list(training_problems(asked, find_host("local"), "tiny-1"))

    assert [
        (("training", "options", "adapter"), "found 'lora', but tiny-1 has no use for it. Remove it."),
        (("training", "options", "lora_r"), "found 8, but tiny-1 has no use for it. Remove it."),
    ] == found
    in_full = training("local", options={"adapter": "none"})
    assert [] == list(training_problems(in_full, find_host("local"), "tiny-1"))


def test_an_option_of_the_body_stands_beside_the_hyperparameters() -> None:
    asked = training("azure", options={"trainingType": "Developer"})

    assert {"trainingType": "Developer"} == worded(asked, find_host("azure")).body


def test_a_value_without_an_equal_is_refused_not_reread() -> None:
    """A multiplier of the learning rate is no learning rate."""
    found = problems("nebius", hyperparameters=Hyperparameters(learning_rate_multiplier=0.5, batch_size=8))

    assert [
        (
            "training.hyperparameters.learning_rate_multiplier",
            "nebius has no equal of it, expected auto. Remove it. Its own are 'learning_rate', 'lora', "
            "'lora_r', 'lora_alpha', 'lora_dropout', 'warmup_ratio', 'weight_decay', 'max_grad_norm', "
            "'packing', 'context_length', under `training.options`.",
        )
    ] == found


@pytest.mark.parametrize(
    ("host", "values", "expected"),
    [
        (
            "bedrock",
            {},
            [
                (
                    "training.method",
                    "found 'supervised', bedrock has 'reinforcement'. Choose one of them, or "
                    "another provider.",
                )
            ],
        ),
        (
            "nebius",
            {"options": {"lora": 1, "lorra_r": 8}},
            [
                ("training.options.lora", "found 1, expected a value of the type boolean. Change it."),
                (
                    "training.options.lorra_r",
                    "found an option that nebius does not have. Did you mean 'lora_r'?",
                ),
            ],
        ),
        (
            "local",
            {"options": {"adapter": "loar", "lora_r": 8}},
            [("training.options.adapter", "found 'loar'. Did you mean 'lora'?")],
        ),
        (
            "openai",
            {"options": {"early_stopping_patience": 2}},
            [
                (
                    "training.options.early_stopping_patience",
                    "found an option that openai does not have. Remove it.",
                )
            ],
        ),
        (
            "openai",
            {"options": {"lora": True}},
            [("training.options.lora", "found an option that openai does not have. Remove it.")],
        ),
        (
            "azure",
            {"suffix": "guide.1"},
            [("training.suffix", "found 'guide.1', azure takes text like [^.]+. Change it.")],
        ),
        (
            "azure",
            {"suffix": "a-name-that-is-too-long"},
            [("training.suffix", "found 23 characters, azure takes at most 18. Shorten it.")],
        ),
    ],
)
def test_what_a_host_cannot_do_is_named(
    host: str, values: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert expected == problems(host, **values)


def test_a_host_without_suffixes_says_so() -> None:
    assert ("training.suffix", "found 1 characters, bedrock takes no suffix. Remove it.") in problems(
        "bedrock", suffix="x"
    )


def test_a_grader_that_asks_a_model_is_not_for_training_here() -> None:
    grader = {
        "type": "score_model",
        "name": "judge",
        "model": "gpt-x",
        "input": [{"role": "user", "content": "?"}],
    }
    asked = {"method": "reinforcement", "grader": grader}

    assert [
        (
            "training.grader",
            "found a grader that asks the model 'gpt-x'; local trains with graders that compare texts or run "
            "code alone. Choose another grader, or another provider.",
        )
    ] == problems("local", **asked)
    assert [] == problems("bedrock", **asked)


def test_a_method_that_a_host_lacks_is_refused() -> None:
    grader = {"type": "string_check"}

    assert [
        (
            "training.method",
            "found 'reinforcement', openai has 'supervised', 'dpo'. Choose one of them, or another provider.",
        )
    ] == problems("openai", method="reinforcement", grader=grader)
