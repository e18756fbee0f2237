"""What is asked of whom: everything that is fixed before the first question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from runner.building import build, supply_sources, yardstick
from runner.dataset.tokens import TokenCounter
from runner.display import shown
from runner.errors import RunnerError, UsageError
from runner.evaluating.choosing import choose_candidates
from runner.evaluating.questions import choose_questions, read_questions
from runner.evaluating.wanted import Wanted
from runner.evaluation.ask import AnswerCache
from runner.evaluation.candidates import RETRIEVAL, Candidate
from runner.evaluation.items import Item
from runner.evaluation.prompts import Messages, Prompter
from runner.evaluation.retrieval import NearestRecords
from runner.evaluation.scores import graders_of, runs_code, try_graders
from runner.evaluation.value import Questions
from runner.examples.content import turn_of
from runner.examples.read import Example
from runner.graders.model import Grader
from runner.hints import did_you_mean
from runner.lock.lockfile import LockedRun, read_lockfile
from runner.operator import Operator
from runner.pipeline import validate
from runner.providers.base import ChatRequest
from runner.providers.hosts import Host, find_host
from runner.recipe.choosing import single
from runner.recipe.load import LoadedRecipe
from runner.recipe.model import Evaluation as Section

SEED = 0
TINY_MODEL = "tiny-1"


@dataclass(frozen=True, kw_only=True)
class Study:
    """Everything that is fixed before the first question is asked.

    `training` is empty where no candidate is shown any of it.
    """

    loaded: LoadedRecipe
    section: Section
    operator: Operator
    wanted: Wanted
    run: LockedRun | None
    training: Sequence[Example]
    items: tuple[Item, ...]
    questions: Questions
    candidates: Sequence[Candidate]
    hosts: Mapping[str, Host]
    judge: Host
    graders: tuple[Grader, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def folder(self) -> Path:
        """Where evaluations keep their files."""
        return self.loaded.project.make_state() / "evaluation"

    @property
    def subject(self) -> str:
        """The candidate that the others are compared with."""
        return self.candidates[0].name

    @cached_property
    def prompter(self) -> Prompter:
        """What puts training examples into prompts."""
        host = self.hosts.get(self.candidates[0].provider) or self.judge
        limits, counter = yardstick(self.loaded, host)
        shows = any(
            candidate.name == RETRIEVAL or candidate.prompting == "retrieval_prompt"
            for candidate in self.candidates
        )
        nearest = NearestRecords(self.training) if shows else None
        fits = _Room(limits.max_example_tokens, counter, self.section.max_tokens)
        return Prompter(self.training, self.section.shots, fits, nearest)

    def requests(self, candidate: Candidate) -> list[ChatRequest]:
        """What a model is asked, in the order of the questions."""
        return [
            ChatRequest(
                model=candidate.model or "",
                messages=self.prompter.prompt(candidate, item),
                beside=item.beside,
                max_tokens=self.section.max_tokens,
                seed=SEED,
            )
            for item in self.items
        ]

    def cache(self, host: Host) -> AnswerCache:
        """The answers that a host gave before."""
        return AnswerCache(self.folder / "cache", host.name, host.base_url)


@dataclass(frozen=True, slots=True)
class _Room:
    """Whether a prompt and its answer fit into a model's context; without a known limit everything does."""

    limit: int | None
    counter: TokenCounter
    answer: int

    def __call__(self, messages: Messages) -> bool:
        counted = self.counter.count(turn_of(message) for message in messages) * (1 + self.counter.margin)
        return self.limit is None or counted + self.answer <= self.limit


def prepare(path: Path, operator: Operator, wanted: Wanted) -> Study:
    """Read the recipe, its data and lockfile, and choose what is asked. Nothing is sent."""
    loaded = single(validate(path, operator), operator.only)
    section = loaded.recipe.evaluation
    if section is None:
        raise RunnerError(
            f"{loaded.file} has no `evaluation:`. Add it, with at least one of OpenAI's graders: "
            "evaluation: {graders: [{type: text_similarity, evaluation_metric: rouge_l}]}"
        )
    run = read_lockfile(loaded.lock_path).runs.get(loaded.run_key)
    candidates = choose_candidates(loaded, section, run, wanted, operator)
    names = {candidate.provider for candidate in candidates if candidate.provider}
    hosts = {name: find_host(name, operator.user_hosts, loaded.project) for name in sorted(names)}
    judge = find_host(wanted.judge or loaded.recipe.training.provider, operator.user_hosts, loaded.project)
    graders = graders_of(section)
    _refuse_unknown("--against", wanted.against, [candidate.name for candidate in candidates[1:]])
    _refuse_unknown("--by", wanted.by, [grader.name for grader in graders])
    if runs_code(graders) and not wanted.allow_code:
        raise UsageError("a grader runs Python from the recipe on this machine; --allow-code allows it.")
    try_graders(graders)
    supply_sources(loaded, operator)
    supply_sources(replace(loaded, recipe=replace(loaded.recipe, sources=section.sources)), operator)
    shows = any(candidate.shows_training for candidate in candidates)
    training, asked = read_questions(loaded, section, keeps_training=shows)
    items, questions = choose_questions(asked, training, section, looks=wanted.leaks)
    return Study(
        loaded=loaded,
        section=section,
        operator=operator,
        wanted=wanted,
        run=run,
        training=tuple(training) if shows else (),
        items=items,
        questions=questions,
        candidates=candidates,
        hosts=hosts,
        judge=judge,
        graders=graders,
        notes=_notes(loaded, run if run and _asks(run, candidates) else None, section, operator),
    )


def _asks(run: LockedRun, candidates: Sequence[Candidate]) -> bool:
    """Whether the model of a run, or one of its checkpoints, is among those who are asked."""
    job = run.job
    kept = (job.fine_tuned_model, *(each.model for each in job.checkpoints)) if job else ()
    return any(candidate.model is not None and candidate.model in kept for candidate in candidates)


def _refuse_unknown(option: str, name: str | None, known: Sequence[str]) -> None:
    if name is not None and name not in known:
        advice = did_you_mean(name, known) or "Nothing else is asked."
        raise UsageError(f"{option}: found no {shown(name)}. {advice}")


def _notes(
    loaded: LoadedRecipe, run: LockedRun | None, section: Section, operator: Operator
) -> tuple[str, ...]:
    notes = []
    if section.on == "training" and not section.sources:
        notes.append("the questions are those that were trained on: this measures memory, not understanding.")
    if run is not None and run.job is not None:
        host = find_host(loaded.recipe.training.provider, operator.user_hosts, loaded.project)
        dataset = build(loaded, host, effort=operator.effort)
        if dataset.training_file.sha256 != run.training_file.file.sha256:
            notes.append(
                "the model was trained on other data than the recipe has now, so some "
                f"questions may have been among it. {loaded.command('plan')} says what changed."
            )
        if run.job.provider == "local" and run.job.model == TINY_MODEL:
            notes.append(
                "tiny-1 memorises its training answers; it does not answer what it was not trained on."
            )
    return tuple(notes)
