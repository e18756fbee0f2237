"""An evaluation from recipe to lockfile: questions → candidates → answers → scores → evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.building import build
from runner.evaluating.asking import ask
from runner.evaluating.study import Study, prepare
from runner.evaluating.wanted import Console, Wanted
from runner.evaluation.assemble import Outcome, comparisons_of, result_of, rows_of, scores_by_candidate
from runner.evaluation.candidates import TUNED
from runner.evaluation.comparison import slices
from runner.evaluation.cost import break_even
from runner.evaluation.gate import decide
from runner.evaluation.kept import keep_evaluation
from runner.evaluation.past import keep_answers, read_past
from runner.evaluation.scores import graders_sha256
from runner.evaluation.value import Evaluation
from runner.graders.settings import settings_of
from runner.operator import Operator
from runner.price import locked_price, price_of
from runner.providers.hosts import find_host
from runner.recipe.load import LoadedRecipe
from runner.running.state import save_run


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """An evaluation, the recipe it is of, and whether the lockfile has it now."""

    loaded: LoadedRecipe
    evaluation: Evaluation
    answers_path: Path
    locked: bool = False


def evaluate(path: Path, operator: Operator, wanted: Wanted, console: Console) -> Evaluated:
    """Ask, score and compare; a passing evaluation of the recipe's own model is locked.

    Raises UsageError, ProviderError where the model in question answers nothing, OverBudgetError.
    """
    study = prepare(path, operator, wanted)
    outcomes = ask(study, console)
    evaluation = _assemble(study, outcomes)
    # What `--set` changed is not what the recipe beside the lockfile says.
    saves = wanted.saves and not operator.assignments
    keeps = wanted.blesses or (saves and (evaluation.gate is None or evaluation.gate.passed))
    answers_path = keep_answers(evaluation, study.folder / "answers")
    if evaluation.subject == TUNED:
        keep_evaluation(evaluation, study.folder, study.loaded.run_name)
    saved = keeps and evaluation.subject == TUNED and _lock(study, evaluation)
    return Evaluated(loaded=study.loaded, evaluation=evaluation, answers_path=answers_path, locked=saved)


def _assemble(study: Study, outcomes: Sequence[Outcome]) -> Evaluation:
    names = [grader.name for grader in study.graders]
    rows = rows_of(study.items, outcomes)
    others = [candidate.name for candidate in study.candidates[1:]]
    gate = study.section.gate
    evaluation = Evaluation(
        recipe=study.loaded.recipe.name,
        profile=study.loaded.profile,
        subject=study.subject,
        questions=study.questions,
        graders=tuple(names),
        graders_sha256=graders_sha256(study.section, study.judge.name),
        results=tuple(result_of(outcome, names) for outcome in outcomes),
        comparisons=comparisons_of(study.subject, rows, others, names),
        rows=rows,
        slices=tuple(slices(study.section.slices, study.items, scores_by_candidate(outcomes), names)),
        notes=study.notes,
        gate_metric=gate.metric if gate else "",
        settings={grader.name: settings_of(grader, study.judge.name) for grader in study.graders},
        max_tokens=study.section.max_tokens,
    )
    if study.wanted.volume is not None:
        evaluation = _with_break_even(study, evaluation, outcomes, study.wanted.volume)
    if gate is None or study.wanted.alone:
        return evaluation
    locked = study.run.evaluation if study.run else None
    past = read_past(locked, study.folder / "answers") if locked else None
    return replace(evaluation, gate=decide(gate, evaluation, past))


def _with_break_even(
    study: Study, evaluation: Evaluation, outcomes: Sequence[Outcome], volume: int
) -> Evaluation:
    training = _training_usd(study)
    n_answers = {
        outcome.candidate.name: sum(answer.failure is None for answer in outcome.answers)
        for outcome in outcomes
    }
    per_request = {
        result.name: result.usd / n_answers[result.name]
        for result in evaluation.results
        if result.usd is not None and n_answers[result.name]
    }
    subject = per_request.get(evaluation.subject)
    longer = [outcome.candidate.name for outcome in outcomes if outcome.candidate.prompting != "plain"]
    if training is None or subject is None:
        note = "when training pays for itself is not known: a price is missing in the host entry."
        return replace(evaluation, notes=(*evaluation.notes, note))
    weighed = [
        break_even(name, training, subject, per_request[name], volume)
        for name in longer
        if name in per_request
    ]
    return replace(evaluation, break_even=tuple(weighed))


def _training_usd(study: Study) -> float | None:
    """What training took, where it is the recipe's model that was asked, else what it would take."""
    loaded, run = study.loaded, study.run
    trained = run if run is not None and study.subject == TUNED else None
    name = trained.job.provider if trained and trained.job else loaded.recipe.training.provider
    host = find_host(name, study.operator.user_hosts, loaded.project)
    if trained is not None:
        return locked_price(trained, host, host.model(loaded.root_model)).usd
    dataset = build(loaded, host, effort=study.operator.effort)
    return price_of(loaded.recipe, dataset, host, host.model(loaded.root_model)).usd


def _lock(study: Study, evaluation: Evaluation) -> bool:
    """Put the evaluation beside the job that it is of, if that job still is the locked one."""
    if study.run is None or study.run.job is None:
        return False
    run = replace(study.run, evaluation=evaluation.locked())
    return save_run(study.loaded, run, over=(study.run.job.id,))
