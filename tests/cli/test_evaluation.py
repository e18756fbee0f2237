"""Evaluations of a hosted model, from questions to the gate and the lockfile."""

import os
import shutil
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Call
from tests.fake_host import FakeHost
from tests.small_project import RECIPE

SECTION = """\
split: {validation: 0.5, seed: 1}
evaluation:
  graders:
    - {type: string_check, name: exact, operation: eq}
  baselines: [base_model, few_shot]
  max_tokens: 20
"""
N = 5
TUNED = "ft:base-1:org::1"


@pytest.fixture
def evaluated(recipe: Path, hosted: FakeHost, call: Call) -> Path:
    """A recipe with an evaluation, trained at a host that knows every third answer, or all when tuned."""
    (recipe.parent / "faq.jsonl").write_text(
        "".join(f'{{"id": {n}, "question": "What is {n}?", "answer": "It is {n}."}}\n' for n in range(24))
    )
    recipe.write_text(RECIPE + SECTION)
    assert 0 == call("run", recipe, "--yes").code
    hosted.answer = knows(3)
    return recipe


def knows(share: int):  # type: ignore[no-untyped-def]
    """A host whose tuned model is always right, and any other one of `share` times."""

    def answer(model: str, messages: list[dict[str, str]]) -> str:
        number = int(messages[-1]["content"].strip("What is?"))
        return f"It is {number}." if model == TUNED or number % share == 0 else "No idea."

    return answer


def accept(*arguments: str) -> tuple[str, ...]:
    return (*arguments, "--yes", "--allow-unknown-price")


def test_every_candidate_is_asked_every_question_once(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    first = call("eval", evaluated, *accept("--json"))
    asked = len(hosted.questions)
    second = call("eval", evaluated, *accept("--json"))

    assert (0, 0) == (first.code, second.code)
    n = first.data["evaluation"]["questions"]["n"]
    assert 3 * n == asked == len(hosted.questions)
    assert first.data["evaluation"]["results"] == second.data["evaluation"]["results"]
    scores = {item["name"]: item["scores"]["exact"] for item in first.data["evaluation"]["results"]}
    assert {"mean": 1.0, "low": pytest.approx(n / (n + 1.96**2), abs=1e-3), "high": 1.0, "n": n} == scores[
        "tuned"
    ]
    assert 0 < scores["base_model"]["mean"] < 1


def test_wins_and_losses_against_somebody_who_is_not_asked(
    evaluated: Path, hosted: FakeHost, call: Call
) -> None:
    against = call("eval", evaluated, *accept("--against", "few_shoot"))
    by = call("eval", evaluated, *accept("--by", "exactly"))

    assert [
        (2, "error: --against: found no 'few_shoot'. Did you mean 'few_shot'?\n"),
        (2, "error: --by: found no 'exactly'. Did you mean 'exact'?\n"),
    ] == [(against.code, against.err), (by.code, by.err)]
    assert [] == hosted.questions


def test_an_evaluation_cannot_be_locked_and_not_locked(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    outcome = call("eval", evaluated, *accept("--bless", "--no-lock"))

    assert (2, "error: --bless locks the evaluation and --no-lock does not; expected one of them.\n", []) == (
        outcome.code,
        outcome.err,
        hosted.questions,
    )


def test_a_missing_key_is_said_before_anybody_is_asked(
    evaluated: Path, hosted: FakeHost, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    model = ("--model", "gpt-4.1-mini-2025-04-14", "--provider", "openai")
    outcome = call("eval", evaluated, *accept(*model))

    assert (1, []) == (outcome.code, hosted.questions)
    assert "error: openai needs a key: the environment variable OPENAI_API_KEY is not set." in outcome.err


def test_questions_are_asked_at_temperature_zero_with_a_seed(
    evaluated: Path, hosted: FakeHost, call: Call
) -> None:
    call("eval", evaluated, *accept())

    kept = ("temperature", "seed", "max_completion_tokens")
    assert {(0.0, 0, 20)} == {tuple(body[name] for name in kept) for body in hosted.questions}


def test_the_lockfile_keeps_the_evaluation_and_a_run_does_not_lose_it(
    evaluated: Path, hosted: FakeHost, call: Call
) -> None:
    call("eval", evaluated, *accept())
    lock = evaluated.with_name("faq.lock.yaml")
    locked = yaml.safe_load(lock.read_text())["runs"]["default"]["evaluation"]
    before = lock.read_bytes()

    assert {"tuned", "base_model", "few_shot"} == set(locked["candidates"])
    assert {"failures": 0, "model": TUNED, "provider": "fake"} == {
        name: item for name, item in locked["candidates"]["tuned"].items() if name != "scores"
    }
    assert 0 == call("run", evaluated, "--yes").code
    assert before == lock.read_bytes()
    evaluated.write_text(evaluated.read_text().replace("n_epochs: 2", "n_epochs: 3"))
    assert 0 == call("run", evaluated, "--yes").code
    assert locked == yaml.safe_load(lock.read_text())["runs"]["default"]["evaluation"]


def test_failures_are_counted_and_stay_out_of_the_score(
    evaluated: Path, hosted: FakeHost, call: Call
) -> None:
    right = knows(3)

    def answer(model: str, messages: list[dict[str, str]]) -> str:
        refused = model == "base-1" and "4" in messages[-1]["content"]
        return "400 too rude" if refused else right(model, messages)

    hosted.answer = answer
    outcome = call("eval", evaluated, *accept("--json"))

    base = next(item for item in outcome.data["evaluation"]["results"] if item["name"] == "base_model")
    n = outcome.data["evaluation"]["questions"]["n"]
    assert 0 < base["failures"] == n - base["scores"]["exact"]["n"]
    assert "fake answered HTTP 400: too rude" == base["failure"]


def test_a_gate_that_fails_exits_with_7_and_leaves_the_lockfile(
    evaluated: Path, hosted: FakeHost, call: Call
) -> None:
    with_gate(evaluated, "better_than: base_model, by: 0.9")
    before = evaluated.with_name("faq.lock.yaml").read_bytes()

    outcome = call("eval", evaluated, *accept())

    assert 7 == outcome.code
    assert outcome.out.splitlines()[-1].startswith("gate failed: exact of tuned − base_model = +0.")
    assert outcome.out.splitlines()[-1].endswith("; expected the whole interval above +0.9.")
    assert before == evaluated.with_name("faq.lock.yaml").read_bytes()
    assert 7 == call("eval", evaluated, *accept("--bless")).code
    assert before != evaluated.with_name("faq.lock.yaml").read_bytes()


def test_a_gate_that_holds_says_its_numbers(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    with_gate(evaluated, "better_than: base_model")

    outcome = call("eval", evaluated, *accept())

    assert 0 == outcome.code
    assert outcome.out.splitlines()[-1].startswith("gate passed: exact of tuned − base_model = +0.")


def test_a_gate_against_an_unfinished_baseline_fails(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    with_gate(evaluated, "better_than: base_model")
    right = knows(3)
    hosted.answer = lambda model, messages: "400 no" if model == "base-1" else right(model, messages)

    outcome = call("eval", evaluated, *accept("--json"))

    n = outcome.data["evaluation"]["questions"]["n"]
    assert 7 == outcome.code
    assert (
        f"gate failed: {n} answers of base_model failed or have no score."
        == (outcome.data["evaluation"]["gate"]["sentence"])
    )


def test_the_locked_evaluation_is_what_a_later_one_has_to_beat(
    evaluated: Path, hosted: FakeHost, call: Call
) -> None:
    with_gate(evaluated, "better_than: locked, by: -0.01")
    first = call("eval", evaluated, *accept())
    again = call("eval", evaluated, *accept())
    shutil.rmtree(evaluated.parent / ".finetune" / "evaluation" / "cache")
    hosted.answer = lambda model, messages: "It is 0."
    worse = call("eval", evaluated, *accept())

    assert (
        "gate passed: no evaluation is locked yet; this one becomes what later ones are compared with."
        == (first.out.splitlines()[-1])
    )
    assert again.out.splitlines()[-1].startswith(
        "gate passed: exact of tuned − the locked model = +0.000 [+0.000"
    )
    assert 7 == worse.code
    assert worse.out.splitlines()[-1].startswith("gate failed: exact of tuned − the locked model = -")


def test_the_locked_evaluation_of_another_machine_is_compared_by_its_intervals(
    evaluated: Path, hosted: FakeHost, call: Call
) -> None:
    with_gate(evaluated, "better_than: locked, by: -0.01")
    call("eval", evaluated, *accept())
    for path in (evaluated.parent / ".finetune" / "evaluation" / "answers").iterdir():
        path.unlink()

    outcome = call("eval", evaluated, *accept())

    assert "unpaired, because the locked answers are not on this machine" in outcome.out


def test_other_questions_are_not_comparable(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    with_gate(evaluated, "better_than: locked")
    call("eval", evaluated, *accept())
    evaluated.write_text(evaluated.read_text().replace("max_tokens: 20", "limit: 4"))

    outcome = call("eval", evaluated, *accept())

    assert 7 == outcome.code
    said = outcome.out.splitlines()[-1]
    assert said.startswith(
        "gate failed: not comparable with the locked evaluation: they asked different questions"
    )


def test_paid_questions_need_a_yes_and_a_known_price(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    unpriced = call("eval", evaluated, "--yes")
    unconfirmed = call("eval", evaluated, "--allow-unknown-price")

    assert (8, 1) == (unpriced.code, unconfirmed.code)
    assert (
        "error: the price of asking ft:base-1:org::1 at fake is not known, which is not zero. Add it to a "
        "host entry of your own, or accept it with --allow-unknown-price.\n" == unpriced.err
    )
    assert unconfirmed.err.endswith(
        "error: paid questions need a confirmation: pass --yes. Nothing was sent.\n"
    )
    assert [] == hosted.questions


def test_the_budget_holds_for_questions_too(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    price_models()

    outcome = call("eval", evaluated, "--yes", "--max-cost", "0.01")

    assert 8 == outcome.code
    assert "above --max-cost of $0.01. Nothing was sent." in outcome.err
    assert [] == hosted.questions


def test_training_is_weighed_at_the_price_that_it_took(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    price_models()
    found = call("eval", evaluated, "--yes", "--volume", "1000", "--json")

    assert [("few_shot", hosted.trained_tokens * 1000 / 1e6)] == [
        (each["baseline"], each["training_usd"]) for each in found.data["evaluation"]["break_even"]
    ]


def price_models() -> None:
    """Give the models of the fake host a price, a dollar for a thousand tokens."""
    entry = Path(os.environ["XDG_CONFIG_HOME"]) / "finetune" / "hosts" / "fake.toml"
    names = ("input", "output", "tuned_input", "tuned_output")
    prices = "".join(f"{name}_usd_per_million_tokens = 1000.0\n" for name in names)
    entry.write_text(entry.read_text().replace("training_usd", f"{prices}training_usd", 1))


JUDGE = """\
    - type: score_model
      name: judge
      model: %s
      input: [{role: user, content: "{{ item.reference }} {{ sample.output_text }}"}]
"""


def with_judge(path: Path, model: str) -> None:
    path.write_text(path.read_text().replace("  graders:\n", f"  graders:\n{JUDGE % model}"))


def test_a_judge_without_a_price_is_not_asked(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    """The models that answer have a price."""
    price_models()
    with_judge(evaluated, "judge-1")

    refused = call("eval", evaluated, "--yes")

    assert (8, []) == (refused.code, hosted.questions)
    assert (
        "error: the price of asking judge-1 at fake is not known, which is not zero. Add it to a host entry "
        "of your own, or accept it with --allow-unknown-price.\n" == refused.err
    )


def test_a_judge_with_a_price_costs_so_much_at_most(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    price_models()
    with_judge(evaluated, "base-1")
    answer = hosted.answer
    hosted.answer = lambda model, messages: "1" if len(messages) > 1 else answer(model, messages)
    evaluated.write_text(evaluated.read_text().replace("[base_model, few_shot]", "[base_model]"))

    unsure = call("eval", evaluated)
    sure = call("eval", evaluated, "--yes", "--json")
    again = call("eval", evaluated, "--json")

    n = sure.data["evaluation"]["questions"]["n"]
    assert (1, 0, 0) == (unsure.code, sure.code, again.code)
    told = unsure.err.splitlines()[-2]
    assert told.startswith(f"graders: {2 * n} questions to base-1 at fake, at most $")
    most = float(told.rpartition("$")[2])
    used = sum(result["judge_usd"] for result in sure.data["evaluation"]["results"])
    assert 0 < used < most


def test_a_recipe_without_evaluation_says_what_to_add(recipe: Path, hosted: FakeHost, call: Call) -> None:
    outcome = call("eval", recipe)

    assert 1 == outcome.code
    assert (
        "error: faq.yaml has no `evaluation:`. Add it, with at least one of OpenAI's graders: "
        "evaluation: {graders: [{type: text_similarity, evaluation_metric: rouge_l}]}\n" == outcome.err
    )


def test_a_grader_that_scores_nothing_is_an_error_and_nothing_is_locked(
    evaluated: Path, hosted: FakeHost, call: Call
) -> None:
    broken = '{type: string_check, name: exact, operation: eq, reference: "{{ item.nothing }}"}'
    evaluated.write_text(
        evaluated.read_text().replace("{type: string_check, name: exact, operation: eq}", broken)
    )
    before = evaluated.with_name("faq.lock.yaml").read_bytes()
    outcome = call("eval", evaluated, *accept("--json"))

    assert (
        1,
        "'exact' scored none of 33 answers, the first because: exact: item has no 'nothing'. "
        "The answers are kept for the next time; nothing was locked.",
    ) == (outcome.code, outcome.data["error"]["message"])
    assert before == evaluated.with_name("faq.lock.yaml").read_bytes()


def test_a_deleted_model_says_what_trains_it_again(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    hosted.answer = lambda model, _: f"404 the model {model} is gone"
    kept = call("eval", evaluated, *accept())
    hosted.deleted_models.add(TUNED)
    gone = call("eval", evaluated, *accept())

    said = f"error: tuned ({TUNED} at fake) answered none of 11 questions: fake: the model {TUNED} is gone"
    assert [(1, said), (1, f"{said}. `finetune rerun {evaluated}` trains it again.")] == [
        (outcome.code, outcome.err.splitlines()[-1]) for outcome in (kept, gone)
    ]


def test_an_alias_is_asked_as_the_model_that_it_stands_for(
    evaluated: Path, hosted: FakeHost, call: Call
) -> None:
    assert 0 == call("promote", "production", evaluated).code
    found = call("eval", evaluated, *accept("--model", "production", "--no-lock", "--json"))
    named = call("eval", evaluated, *accept("--model", "production", "--provider", "fake", "--json"))

    assert (TUNED, "production") == tuple(
        each.data["evaluation"]["results"][1]["model"] for each in (found, named)
    )
    assert {TUNED, "base-1", "production"} == {body["model"] for body in hosted.questions}


def test_a_recipe_that_was_not_run_says_so(recipe: Path, hosted: FakeHost, call: Call) -> None:
    recipe.write_text(RECIPE + SECTION)

    outcome = call("eval", recipe)

    assert 1 == outcome.code
    assert (
        f"error: there is no tuned model under the profile 'default' yet. `finetune run {recipe}` makes one; "
        "--model asks another.\n" == outcome.err
    )


def test_problems_of_the_section_are_named_all_at_once(recipe: Path, hosted: FakeHost, call: Call) -> None:
    recipe.write_text(
        RECIPE
        + """\
evaluation:
  graders:
    - {type: string_check, operation: eq, reference: "{{ record.answer }}"}
    - {type: string_check, operation: ne}
  slices: [topic]
  gate: {metric: exakt, better_than: retrieval}
"""
    )

    outcome = call("validate", recipe)

    assert 1 == outcome.code
    assert [
        "faq.yaml:22:54: $.evaluation.graders[0].reference: '{{ record.answer }}' begins with 'record', "
        "expected item or sample.",
        "faq.yaml:23:7: $.evaluation.graders[1]: found 'string_check' again, expected each name once. "
        "Give one grader another `name`.",
        "faq.yaml:24:12: $.evaluation.slices[0]: found 'topic', expected the name of a field. "
        "Known here: answer, question.",
        "faq.yaml:21:3: $.evaluation: there are no questions: nothing is held out. Set `split.validation`, "
        "or give `sources` here.",
        "faq.yaml:25:18: $.evaluation.gate.metric: found 'exakt', expected the name of a grader. "
        "Known here: string_check, string_check.",
        "faq.yaml:25:38: $.evaluation.gate.better_than: found 'retrieval', which is not compared. "
        "Add it to `baselines`.",
    ] == outcome.err.splitlines()


def with_gate(recipe: Path, gate: str) -> None:
    recipe.write_text(recipe.read_text() + f"  gate: {{metric: exact, {gate}}}\n")
