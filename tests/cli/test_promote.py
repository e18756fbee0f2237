"""`promote`, `rollback` and `models --on`: what an alias stands for, with its evidence."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Call
from tests.fake_host import FakeHost
from tests.fakes import StillClock
from tests.small_project import RECIPE

DAY_S = 86_400


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    """The time that entries are written at."""
    still = StillClock(time=1_795_084_800.0)
    monkeypatch.setattr("runner.clock.SystemClock.now", lambda _: still.now())
    return still


@pytest.fixture
def trained(call: Call, recipe: Path, hosted: FakeHost, clock: StillClock) -> Path:
    assert 0 == call("run", recipe, "--yes").code
    return Path(recipe.name)


def retrain(call: Call, recipe: Path, n_epochs: int) -> None:
    text = recipe.read_text()
    recipe.write_text(text.replace(text[text.index("n_epochs:") :].split("\n")[0], f"n_epochs: {n_epochs}"))
    assert 0 == call("run", recipe, "--yes").code


@pytest.fixture
def served(call: Call, trained: Path, clock: StillClock) -> Path:
    """Three models, promoted a day after the other."""
    for n_epochs in (2, 3, 4):
        if n_epochs > 2:
            clock.time += DAY_S
            retrain(call, trained, n_epochs)
        assert 0 == call("promote", "production", trained).code
    return trained


def on(call: Call, text: str) -> list[tuple[str, str, str]]:
    data = call("models", "--on", text, "--json").data
    return [(each["alias"], each["model"], each["at"]) for each in data["aliases"]]


def test_an_entry_says_what_speaks_for_the_model(call: Call, trained: Path, clock: StillClock) -> None:
    outcome = call("promote", "production", trained, "--reason", "더 나은 답변")
    lock = yaml.safe_load(trained.with_name("faq.lock.yaml").read_text())["runs"]["default"]
    sha256 = lock["dataset"]["training_file"]["sha256"]

    assert (
        "production → ft:base-1:org::1 at fake\n"
        "  made by     ftjob-1 of faq.yaml (default)\n"
        f"  trained on  {sha256[:16]}\n"
        "  lockfile    not committed\n"
        "  evaluation  none of this model\n",
        "added to aliases.yaml; commit it.\n",
    ) == (outcome.out, outcome.err)
    assert (
        "# Written by `finetune promote` and `finetune rollback`. Commit it; entries are only added at the "
        "end.\n"
        "aliases_version: 1\n"
        "entries:\n"
        "- alias: production\n"
        "  action: promote\n"
        f"  at: '2026-11-19T10:40:00Z'\n"
        "  model: ft:base-1:org::1\n"
        "  provider: fake\n"
        "  recipe: faq.yaml\n"
        "  run: default\n"
        "  job: ftjob-1\n"
        f"  training_file: {sha256}\n"
        "  reason: 더 나은 답변\n"
    ) == Path("aliases.yaml").read_text(encoding="utf-8")


def test_the_commit_is_named_where_it_holds_the_lockfile(call: Call, trained: Path) -> None:
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "faq.yaml", "faq.lock.yaml"], check=True)
    subprocess.run([*git, "commit", "-qm", "train"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout

    committed = call("promote", "staging", trained, "--json").data["promotion"]["commit"]
    retrain(call, trained, 3)
    changed = call("promote", "staging", trained, "--json").data["promotion"]["commit"]

    assert (head.strip(), None) == (committed, changed)


def test_a_model_that_stands_there_already_is_not_written_again(call: Call, trained: Path) -> None:
    call("promote", "production", trained)
    before = Path("aliases.yaml").read_bytes()
    outcome = call("promote", "production", trained)

    assert (0, "", "production stands for this model already; nothing was written.\n") == (
        outcome.code,
        outcome.out,
        outcome.err,
    )
    assert before == Path("aliases.yaml").read_bytes()


def test_what_was_served_on_a_day(call: Call, served: Path) -> None:
    models = ["ft:base-1:org::1", "ft:base-1:org::2", "ft:base-1:org::3"]
    days = ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"]

    assert [] == on(call, days[0])
    assert [[model] for model in models] == [[each[1] for each in on(call, day)] for day in days[1:]]
    assert [("production", models[0], "2026-11-19T10:40:00Z")] == on(call, "2026-11-20T10:39:59Z")
    assert "no alias stood for a model on 2026-11-18T23:59:59Z\n" == call("models", "--on", days[0]).out


def test_a_rollback_goes_back_further_each_time(call: Call, served: Path, hosted: FakeHost) -> None:
    sent = len(hosted.requests)
    models = [call("rollback", "production", "--json").data["promotion"]["model"] for _ in range(2)]
    outcome = call("rollback", "production")

    assert ["ft:base-1:org::2", "ft:base-1:org::1"] == models
    assert (1, "error: production stood for nothing before ft:base-1:org::1. Promote another model.\n") == (
        outcome.code,
        outcome.err,
    )
    assert sent == len(hosted.requests)


def test_a_promotion_after_a_rollback_forgets_what_was_taken_back(call: Call, served: Path) -> None:
    call("rollback", "production")
    retrain(call, served, 5)
    call("promote", "production", served)

    assert "ft:base-1:org::2" == call("rollback", "production", "--json").data["promotion"]["model"]


def test_a_chat_asks_what_the_alias_stands_for(call: Call, served: Path, hosted: FakeHost) -> None:
    assert 0 == call("chat", "production", "Who?").code
    assert "ft:base-1:org::3" == hosted.questions[-1]["model"]


def test_a_gate_has_to_be_passed_first(call: Call, trained: Path, hosted: FakeHost) -> None:
    section = """\
split: {validation: 0.5, seed: 1}
evaluation:
  graders: [{type: string_check, name: exact, operation: eq}]
  gate: {metric: exact, min: 0.5}
"""
    trained.with_name("faq.jsonl").write_text(
        "".join(f'{{"id": {n}, "question": "What is {n}?", "answer": "It is {n}."}}\n' for n in range(24))
    )
    trained.write_text(RECIPE + section)
    call("run", trained, "--yes")
    refused = call("promote", "production", trained)
    hosted.answer = lambda model, messages: (
        messages[-1]["content"].replace("What is", "It is").replace("?", ".")
    )
    assert 0 == call("eval", trained, "--yes", "--allow-unknown-price").code
    promoted = call("promote", "production", trained)

    assert (
        7,
        "error: faq.yaml has a gate, and the lockfile no evaluation of ft:base-1:org::2 that passed it. "
        "`finetune eval faq.yaml` makes one.\n",
    ) == (refused.code, refused.err)
    assert 0 == promoted.code
    assert "  evaluation  tuned: exact 1.000 [" in promoted.out
    assert [("production", "ft:base-1:org::2")] == [each[:2] for each in on(call, "now")]
    retrain(call, trained, 7)
    assert 7 == call("promote", "production", trained).code


def test_a_blessed_evaluation_does_not_pass_the_gate(call: Call, trained: Path, hosted: FakeHost) -> None:
    section = """\
split: {validation: 0.5, seed: 1}
evaluation:
  graders: [{type: string_check, name: exact, operation: eq}]
  gate: {metric: exact, min: 0.5}
"""
    trained.write_text(RECIPE + section)
    call("run", trained, "--yes")
    blessed = call("eval", trained, "--yes", "--allow-unknown-price", "--bless")
    refused = call("promote", "production", trained)

    assert (7, True) == (blessed.code, "locked in" in blessed.err)
    assert (
        7,
        "error: faq.yaml: by its locked evaluation, gate failed: exact of tuned is 0.000, below the "
        "minimum of 0.5. Nothing was written.\n",
    ) == (refused.code, refused.err)
    assert not Path("aliases.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("promote", "Prod uction", "faq.yaml"),
            2,
            "found the alias 'Prod uction', expected up to 63 of a-z, 0-9, - and _, such as `production`.",
        ),
        (
            ("promote", "faq.yaml"),
            2,
            "found the recipe 'faq.yaml' in the place of the alias, which comes first: "
            "`finetune promote production faq.yaml`.",
        ),
        (
            ("promote", "faq.yaml", "staging"),
            2,
            "found the recipe 'faq.yaml' in the place of the alias, which comes first: "
            "`finetune promote staging faq.yaml`.",
        ),
        (
            ("promote", "tiny-1", "faq.yaml"),
            2,
            "tiny-1 is the name of a model; give the alias another one.",
        ),
        (("rollback", "prodution"), 2, "found no alias 'prodution'. Did you mean 'production'?"),
        (
            ("rollback", "faq.yaml"),
            2,
            "found no alias 'faq.yaml': expected an alias, not a recipe. Known here: production.",
        ),
        (
            ("models", "--on", "yesterday"),
            2,
            "--on: found 'yesterday', expected a day such as 2026-11-01, a time in UTC such as "
            "2026-11-01T12:00:00Z, or now.",
        ),
        (("models",), 2, "expected `list`, `delete`, or --on with a day, such as --on now."),
        (
            ("models", "--on", "now", "list"),
            2,
            "--on and --json stand alone, or --json behind `list`.",
        ),
    ],
)
def test_what_cannot_be_done(
    call: Call, trained: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    call("promote", "production", trained)
    outcome = call(*arguments)

    assert (code, "", f"error: {message}\n") == (outcome.code, outcome.out, outcome.err)


def test_a_recipe_that_never_ran_writes_no_alias(call: Call, recipe: Path, hosted: FakeHost) -> None:
    assert 1 == call("promote", "production", "faq.yaml").code
    assert not Path("aliases.yaml").exists()
