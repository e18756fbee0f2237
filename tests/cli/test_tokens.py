"""`tokens` says how many there are, how long examples are, and what training on them costs."""

from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.fake_host import FakeHost

NO_PACKAGES = {"tiktoken", "tokenizers", "bpe_openai", "litellm"}


def test_an_exact_count_says_so(call: Call, local_recipe: Path) -> None:
    pytest.importorskip("tokenizers", reason="tokenizers (the extra `tokens`) is not installed")
    outcome = call("tokens", local_recipe)
    head, _, first, lengths, *_ = outcome.out.splitlines()

    assert (0, "") == (outcome.code, outcome.err)
    assert head.startswith("counted with tokenizer ")
    assert first.startswith("training: 12 examples, ") and "about" not in first
    assert lengths.startswith("  an example has ")
    assert outcome.out.endswith("price: $0.00 (trains on this machine)\n")


def test_an_estimate_says_what_an_exact_count_takes(call: Call, recipe: Path, hosted: FakeHost) -> None:
    outcome = call("tokens", recipe)
    head, _, first, *_ = outcome.out.splitlines()

    assert "tokens are estimated, ±30 %: the tokenizer of base-1 is not known here." == head
    assert "training: 12 examples, about 216 tokens" == first
    assert "trained on: about 432 tokens (216 × 2 epochs)" in outcome.out
    assert "price: $0.44 (216 tokens (estimated, ±30 %) × 2 epochs" in outcome.out


def test_without_the_ranks_the_ways_to_them_are_named(
    call: Call, recipe: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tiktoken", reason="tiktoken (the extra `tokens`) is not installed")
    monkeypatch.setattr("runner.tokens.encodings.find_spec", lambda _: None)
    recipe.write_text(recipe.read_text().replace("base-1", "gpt-4.1-mini-2025-04-14"))
    head = call("tokens", recipe.name).out.splitlines()[0]

    assert (
        "tokens are estimated, ±30 %: the ranks of o200k_base are not on this machine: "
        "pip install 'finetune-runner[tokens]' brings them, "
        "`finetune tokens faq.yaml --allow-network` downloads them, or TIKTOKEN_CACHE_DIR names a folder "
        "that has them."
    ) == head


def test_the_lockfile_names_the_counter_and_a_machine_without_it_changes_nothing(
    call: Call, recipe: Path, hosted: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tiktoken", reason="tiktoken (the extra `tokens`) is not installed")
    pytest.importorskip("bpe_openai", reason="bpe-openai (the extra `tokens`) is not installed")
    recipe.write_text(recipe.read_text().replace("base-1", "gpt-4.1-mini-2025-04-14"))
    assert 0 == call("run", recipe, "--yes", "--allow-unknown-price").code
    lock = recipe.with_name("faq.lock.yaml").read_bytes()
    monkeypatch.setattr(
        "runner.token_counts.find_spec", lambda name: None if name in NO_PACKAGES else object()
    )
    again = call("run", recipe, "--yes", "--allow-unknown-price")

    assert b"token_counter: o200k_base chat-1\n" in lock
    assert b"tokens_exact: true\n" in lock
    assert 0 == again.code, again.err
    assert lock == recipe.with_name("faq.lock.yaml").read_bytes()
    assert 0 == call("plan", recipe, "--locked").code


def test_a_build_marks_its_estimate(call: Call, recipe: Path, hosted: FakeHost) -> None:
    text, data = call("build", recipe).out, call("build", recipe, "--json").data

    assert "training: 12 examples, ~216 tokens (estimated), " in text
    training = data["dataset"]["training_file"]
    assert (216, False) == (training["n_tokens"], training["tokens_exact"])
