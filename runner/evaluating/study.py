"""What is asked of whom: everything that is fixed before the first question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from runner.building import build, supply_sources, yardstick
from runner.dataset.build import shortened
from runner.dataset.split import side_of
from runner.dataset.tokens import TokenCounter
from runner.errors import InvalidInputError, RunnerError, UsageError
from runner.evaluation.ask import AnswerCache
from runner.evaluation.candidates import RETRIEVAL, TUNED, Candidate, baselines, checkpoints
from runner.evaluation.items import Item, chosen, item_of, set_sha256
from runner.evaluation.leaks import MAX_RECORDS, find_leaks, overlap
from runner.evaluation.prompts import Messages, Prompter
from runner.evaluation.retrieval import NearestRecords
from runner.evaluation.scores import graders_of, runs_code, try_graders
from runner.evaluation.value import Questions
from runner.examples.confinement import read_confined
from runner.examples.read import Example
from runner.graders.model import Grader
from runner.issues import Issue
from runner.lockfile import LockedJob, LockedRun, read_lockfile
from runner.operator import Operator
from runner.pipeline import validate
from runner.providers.base import ChatRequest
from runner.providers.hosts import Host, find_host
from runner.recipe.choosing import single
from runner.recipe.load import LoadedRecipe, load_recipe
from runner.recipe.model import Evaluation as Section
from runner.recipe.model import Source
from runner.sources.read import find_source_files

SEED = 0
TINY_MODEL = "tiny-1"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the operator asks of an evaluation beyond the recipe.

    `models` are asked too, at `provider` where it is given, or `alone`; a path names another recipe's model.
    `judge` is where graders ask models. `saves` lets a passing evaluation into the lockfile, `blesses` any.
    """

    models: tuple[str, ...] = ()
    provider: str | None = None
    alone: bool = False
    checkpoint: str | None = None
    judge: str | None = None
    allow_code: bool = False
    concurrency: int = 4
    volume: int | None = None
    leaks: bool | None = None
    saves: bool = True
    blesses: bool = False


class Console(Protocol):
    """How an evaluation speaks with the person who started it."""

    def confirm(self, text: str) -> bool:
        """Ask before paid questions are sent."""

    def say(self, message: str) -> None:
        """Tell what is being done."""

    def count(self, done: int, of: int) -> None:
        """Show how many questions are answered."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """Everything that is fixed before the first question is asked."""

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
                messages=_turns(self.prompter.prompt(candidate, item)),
                max_tokens=self.section.max_tokens,
                seed=SEED,
            )
            for item in self.items
        ]

    def cache(self, provider: str) -> AnswerCache:
        """The answers that a host gave before."""
        return AnswerCache(self.folder / "cache", provider, self.hosts[provider].base_url)


@dataclass(frozen=True, slots=True)
class _Room:
    """Whether a prompt and its answer fit into a model's context; without a known limit everything does."""

    limit: int | None
    counter: TokenCounter
    answer: int

    def __call__(self, messages: Messages) -> bool:
        counted = self.counter.count(messages) * (1 + self.counter.margin)
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
    candidates = _candidates(loaded, section, run, wanted, operator)
    names = {candidate.provider for candidate in candidates if candidate.provider}
    hosts = {name: find_host(name, operator.user_hosts, loaded.project) for name in sorted(names)}
    judge = find_host(wanted.judge or loaded.recipe.training.provider, operator.user_hosts, loaded.project)
    graders = graders_of(section)
    if runs_code(graders) and not wanted.allow_code:
        raise UsageError("a grader runs Python from the recipe on this machine; --allow-code allows it.")
    try_graders(graders)
    supply_sources(loaded, operator)
    supply_sources(replace(loaded, recipe=replace(loaded.recipe, sources=section.sources)), operator)
    training, asked = read_questions(loaded, section)
    items, questions = _questions(asked, training, section, wanted)
    return Study(
        loaded=loaded,
        section=section,
        operator=operator,
        wanted=wanted,
        run=run,
        training=training,
        items=items,
        questions=questions,
        candidates=candidates,
        hosts=hosts,
        judge=judge,
        graders=graders,
        notes=_notes(loaded, run, section, operator),
    )


def read_questions(loaded: LoadedRecipe, section: Section) -> tuple[list[Example], list[Example]]:
    """The training examples of a recipe, and those that are asked. Raises InvalidInputError."""
    split = loaded.recipe.split
    sides: dict[str, list[Example]] = {"training": [], "validation": []}
    for example in read_all(loaded, loaded.recipe.sources):
        sides[side_of(example.key if example.group is None else example.group, split)].append(example)
    if not section.sources:
        return sides["training"], sides[section.on]
    issues = []
    for index, source in enumerate(section.sources):
        try:
            find_source_files(source, loaded.folder, loaded.project)
        except InvalidInputError as error:
            keys = ("evaluation", "sources", index, *(("path",) if source.path else ()))
            issues += [loaded.issue(keys, f"{issue.place}: {issue.message}") for issue in error.issues]
    if issues:
        raise InvalidInputError(issues)
    return sides["training"], read_all(loaded, section.sources)


def read_all(loaded: LoadedRecipe, sources: tuple[Source, ...]) -> list[Example]:
    """The examples of some sources, with their fields, each once whatever the weight of its source.

    Raises InvalidInputError with all problems.
    """
    recipe = replace(loaded.recipe, sources=sources)
    found = list(read_confined(recipe, loaded.folder, loaded.project, with_fields=True))
    issues = [item for item in found if isinstance(item, Issue)]
    if issues:
        raise InvalidInputError(shortened(issues))
    return [item for item in found if not isinstance(item, Issue) and not item.is_copy]


def _questions(
    asked: Sequence[Example], training: Sequence[Example], section: Section, wanted: Wanted
) -> tuple[tuple[Item, ...], Questions]:
    items = [item for item in map(item_of, asked) if item is not None]
    on = "sources" if section.sources else section.on
    # Whoever asks what was trained on wants to know what is remembered.
    looks = on != "training" and (len(training) <= MAX_RECORDS if wanted.leaks is None else wanted.leaks)
    leaks = find_leaks(items, training) if looks else []
    left_out = {leak.identity for leak in leaks}
    kept = chosen([item for item in items if item.identity not in left_out], section.limit)
    if not kept:
        more = f" All {len(leaks)} nearly repeat training records." if leaks else ""
        raise RunnerError(f"there are no questions to ask.{more} Raise `split.validation`, or add records.")
    shared = overlap(kept, training) if looks else None
    questions = Questions(
        on=on,
        sha256=set_sha256(kept),
        n=len(kept),
        left_out=tuple(leaks),
        overlap=shared,
        leaks_checked=looks,
    )
    return kept, questions


def _candidates(
    loaded: LoadedRecipe, section: Section, run: LockedRun | None, wanted: Wanted, operator: Operator
) -> list[Candidate]:
    job = run.job if run else None
    found: list[Candidate] = []
    if job is not None and job.fine_tuned_model and not wanted.alone:
        tuned = Candidate(name=TUNED, provider=job.provider, model=job.fine_tuned_model, tuned_from=job.model)
        found += [tuned, *checkpoints(job, wanted.checkpoint)]
    found += [_other_model(name, loaded, wanted, operator) for name in wanted.models]
    if not found:
        raise RunnerError(
            f"there is no tuned model under the profile '{loaded.profile}' yet. "
            f"{loaded.command('run')} makes one; --model asks another."
        )
    if wanted.alone:
        return found
    known = job or _planned_job(loaded)
    return [*found, *baselines(section.baselines, known)]


def _planned_job(loaded: LoadedRecipe) -> LockedJob:
    """Where baselines are asked before anything was trained."""
    training = loaded.recipe.training
    return LockedJob(
        id="", provider=training.provider, model=loaded.root_model, method=training.method, digest="",
        attempt=1, seed=training.seed, status="", requested={},
    )  # fmt: skip


def _other_model(name: str, loaded: LoadedRecipe, wanted: Wanted, operator: Operator) -> Candidate:
    if not name.endswith((".yaml", ".yml")):
        provider = wanted.provider or loaded.recipe.training.provider
        return Candidate(name=name, provider=provider, model=name)
    other = single(load_recipe(Path(name), operator.profile), ())
    run = read_lockfile(other.lock_path).runs.get(other.run_key)
    if run is None or run.job is None or not run.job.fine_tuned_model:
        raise RunnerError(f"{name} has no tuned model yet. {other.command('run')} makes one.")
    job = run.job
    return Candidate(
        name=other.recipe.name, provider=job.provider, model=job.fine_tuned_model, tuned_from=job.model
    )


def _notes(
    loaded: LoadedRecipe, run: LockedRun | None, section: Section, operator: Operator
) -> tuple[str, ...]:
    notes = []
    if section.on == "training" and not section.sources:
        notes.append("the questions are those that were trained on: this measures memory, not understanding.")
    if run is not None and run.job is not None:
        host = find_host(loaded.recipe.training.provider, operator.user_hosts, loaded.project)
        dataset = build(loaded, host)
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


def _turns(messages: Messages) -> tuple[Mapping[str, str], ...]:
    return tuple({"role": message.role, "content": message.content} for message in messages)
