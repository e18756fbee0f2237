"""`finetune report`: from a recipe, its lockfile and its provider to a page."""

from pathlib import Path

from tests.cli.conftest import Call
from tests.cli.test_evaluation import accept, evaluated
from tests.fake_host import FakeHost

__all__ = ["evaluated"]


def test_a_run_and_its_evaluation_on_one_page(evaluated: Path, hosted: FakeHost, call: Call) -> None:
    hosted.losses["ftjob-1"] = 0.5
    call("eval", evaluated, *accept())
    outcome = call("report", evaluated)
    page = evaluated.with_name("faq.report.html").read_text(encoding="utf-8")
    shown = call("report", evaluated, "--json").data["report"]

    assert 0 == outcome.code
    assert (f"{evaluated.with_suffix('.report.html')} ({len(page.encode()) / 1000:,.0f} kB)\n", "") == (
        outcome.out,
        outcome.err,
    )
    assert "Is it better?" in page
    assert "tuned is better than base_model" in page
    assert {"train_loss": [{"step": 3, "value": 0.5}]} == shown["curves"]
    assert ["tuned", "base_model", "few_shot"] == [item["name"] for item in shown["evaluation"]["results"]]
    assert [] == shown["missing"]


def test_a_second_run_is_compared_with_the_first(recipe: Path, hosted: FakeHost, call: Call) -> None:
    call("run", recipe, "--yes")
    recipe.write_text(recipe.read_text().replace("n_epochs: 2", "n_epochs: 3"))
    pending = call("report", recipe, "--json").data["report"]
    call("run", recipe, "--yes")
    after = call("report", recipe, "--json").data["report"]

    def paths(changes: dict) -> list[str]:  # type: ignore[type-arg]
        return [item["path"] for item in changes["recipe"]]

    assert None is pending["changes"]
    assert "training.hyperparameters.n_epochs" in paths(pending["pending"])
    assert "training.hyperparameters.n_epochs" in paths(after["changes"])
    assert None is after["pending"]
    assert {"changed": 0, "added": 0, "removed": 0, "moved": 0} == {
        name: item["count"] for name, item in after["changes"]["examples"].items() if name != "reordered"
    }


def test_a_comment_goes_to_the_standard_output(recipe: Path, hosted: FakeHost, call: Call) -> None:
    call("run", recipe, "--yes")
    outcome = call("report", recipe, "--format", "markdown")

    assert 0 == outcome.code
    assert outcome.out.startswith("<!-- finetune report faq default -->\n\n### Report: `faq`\n")
    assert "job: ftjob-1" in outcome.out


def test_what_cannot_be_got_is_said(recipe: Path, hosted: FakeHost, call: Call) -> None:
    call("run", recipe, "--yes")
    hosted.jobs.clear()
    (recipe.parent / "faq.jsonl").unlink()
    outcome = call("report", recipe, "-o", "out.html")

    assert 0 == outcome.code
    assert ["note: The dataset", "note: The curves of ftjob-1"] == [
        line.rpartition(": ")[0].partition(": ")[0] + ": " + line.split(": ")[1]
        for line in outcome.err.splitlines()
    ][:2]
    assert Path("out.html").is_file()


def test_a_recipe_that_was_not_run_and_a_folder_that_is_a_file(
    recipe: Path, hosted: FakeHost, call: Call
) -> None:
    assert (0, "") == (call("report", recipe).code, call("report", recipe, "-o", "-").err)
    refused = call("report", recipe, "-o", "faq.jsonl/x.html")

    assert (1, "error: faq.jsonl/x.html could not be written: File exists.\n") == (
        refused.code,
        refused.err,
    )


def test_an_evaluation_of_an_earlier_model_is_not_shown(
    evaluated: Path, hosted: FakeHost, call: Call
) -> None:
    call("eval", evaluated, *accept())
    evaluated.write_text(evaluated.read_text().replace("n_epochs: 2", "n_epochs: 3"))
    call("run", evaluated, "--yes")
    outcome = call("report", evaluated)

    assert (
        "note: The locked evaluation is of an earlier model, so it is not shown. "
        f"`finetune eval {evaluated}` asks this one.\n"
    ) == outcome.err
    assert "Is it better?" not in evaluated.with_name("faq.report.html").read_text(encoding="utf-8")
