"""What answers cost, and when training pays for itself."""

import pytest

from runner.evaluation.ask import Answer
from runner.evaluation.candidates import Candidate
from runner.evaluation.cost import BreakEven, Rate, answers_usd, break_even, judging_usd, rate_of
from runner.providers.hosts import Host, find_host

OPENAI = "openai"
BASE = "gpt-4.1-mini-2025-04-14"
TUNED_NAME = f"ft:{BASE}:org:suffix:id"


@pytest.fixture
def host() -> Host:
    return find_host(OPENAI)


def test_a_tuned_model_has_prices_of_its_own(host: Host) -> None:
    base = host.model(BASE)
    assert base is not None
    tuned = Rate(
        input_usd=base.tuned_input_usd_per_million_tokens or 0.0,
        output_usd=base.tuned_output_usd_per_million_tokens or 0.0,
    )

    assert Rate(
        input_usd=base.input_usd_per_million_tokens or 0.0,
        output_usd=base.output_usd_per_million_tokens or 0.0,
    ) == (rate_of(Candidate(name="base_model", provider=OPENAI, model=BASE), host))
    assert tuned == rate_of(Candidate(name="x", provider=OPENAI, model=TUNED_NAME), host)
    assert tuned == rate_of(Candidate(name="tuned", provider=OPENAI, model="own", tuned_from=BASE), host)


def test_a_model_without_a_price_is_not_free_and_one_on_this_machine_is(host: Host) -> None:
    assert rate_of(Candidate(name="x", provider=OPENAI, model="unheard-of"), host) is None
    assert Rate(input_usd=0.0, output_usd=0.0) == rate_of(
        Candidate(name="x", provider="local", model="tiny-1"), find_host("local")
    )


def test_failed_answers_cost_nothing_and_uncounted_ones_leave_the_price_open() -> None:
    rate = Rate(input_usd=2.0, output_usd=8.0)
    counted = Answer(text="a", prompt_tokens=1_000_000, completion_tokens=500_000)

    assert 6.0 == answers_usd(rate, [counted, Answer(failure="busy")])
    assert answers_usd(rate, [counted, Answer(text="b")]) is None
    assert answers_usd(None, [counted]) is None


def test_training_pays_for_itself_after_enough_shorter_prompts() -> None:
    assert BreakEven(
        baseline="few_shot",
        training_usd=10.0,
        tuned_request_usd=0.001,
        baseline_request_usd=0.003,
        requests=5_000,
        volume=100_000,
        saved_usd=190.0,
    ) == break_even("few_shot", 10.0, 0.001, 0.003, 100_000)


def test_it_never_does_where_the_tuned_model_is_the_dearer_one() -> None:
    found = break_even("few_shot", 10.0, 0.003, 0.001, 1_000)

    assert (None, -12.0) == (found.requests, found.saved_usd)


def test_what_judges_cost_is_known_where_their_prices_are(host: Host) -> None:
    reply = Answer(text="7", prompt_tokens=1_000_000, completion_tokens=0)
    base = host.model(BASE)
    assert base is not None
    assert base.input_usd_per_million_tokens is not None

    assert 2 * base.input_usd_per_million_tokens == judging_usd([(BASE, reply), (BASE, reply)], host)
    assert judging_usd([(BASE, reply), ("unheard-of", reply)], host) is None
    assert [0.0, 0.0] == [judging_usd([("tiny-1", reply)], find_host("local")), judging_usd([], None)]
