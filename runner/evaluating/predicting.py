"""Asks the tuned model about new records, in the words that it was trained with."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from runner.aliases import served_as
from runner.dataset.build import shortened
from runner.dataset.inputs import find_inputs
from runner.errors import InvalidInputError, RunnerError
from runner.evaluating.paying import confirm_paid, paid_batch
from runner.evaluating.study import SEED
from runner.evaluating.wanted import Console
from runner.evaluation.ask import Answer, AnswerCache, Asking, ask_all
from runner.evaluation.candidates import Candidate
from runner.examples.confinement import read_confined
from runner.examples.content import asked_of
from runner.examples.read import Example, Message
from runner.issues import Issue
from runner.lock.lockfile import LockedRun, read_lockfile
from runner.operator import Operator
from runner.pipeline import validate
from runner.planning.changes import section_hashes
from runner.predict import prompt_recipe, without_answer
from runner.providers.base import ChatRequest
from runner.providers.hosts import find_host
from runner.recipe.choosing import single
from runner.recipe.load import LoadedRecipe
from runner.running.state import provider_of
from runner.sources.supply import operators_file

# What decides how a record becomes a prompt.
PROMPT_SECTIONS = ("templates", "fields")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the model answered about one record."""

    file: str
    row: int
    messages: tuple[Message, ...]
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """Which model is asked how, also by an alias; without a model, the one in the lockfile."""

    model: str | None = None
    provider: str | None = None
    variant: str = ""
    max_tokens: int = 1024
    concurrency: int = 4


def predict(
    data: Path, path: Path, operator: Operator, inquiry: Inquiry, console: Console
) -> Iterator[Prediction]:
    """Ask about every record of a file, in its order. Raises InvalidInputError, RunnerError."""
    loaded = single(validate(path, operator), operator.only)
    run = read_lockfile(loaded.lock_path).runs.get(loaded.run_key)
    model, provider = _model(loaded, run, inquiry)
    if inquiry.model is None and run is not None:
        warning = template_warning(loaded, run)
        if warning:
            console.say(f"warning: {warning}")
    prompts = _prompts(loaded, data, inquiry.variant)
    host = find_host(provider, operator.user_hosts, loaded.project)
    requests = [_request(model, example, inquiry) for example in prompts]
    cache = AnswerCache(_cache_folder(loaded), host.name, host.base_url)
    if host.paid:
        candidate = Candidate(name=data.name, provider=provider, model=model)
        confirm_paid([paid_batch(candidate, host, requests, cache)], operator, console)
    with closing(provider_of(host, loaded.project, operator)) as opened:
        asking = Asking(
            provider=opened,
            cache=cache,
            clock=operator.clock,
            concurrency=1 if host.is_local else inquiry.concurrency,
            told=lambda done: console.count(done, len(requests)),
        )
        answers = ask_all(asking, requests)
    for example, answer in zip(prompts, answers, strict=True):
        yield Prediction(file=example.file, row=example.row, messages=example.messages, answer=answer)


def template_warning(loaded: LoadedRecipe, run: LockedRun) -> str:
    """That prompts are not made any more as the locked model was trained; empty where they are."""
    now = section_hashes(loaded.recipe)
    changed = [f"`{name}`" for name in PROMPT_SECTIONS if run.sections.get(name, now[name]) != now[name]]
    locked = {file.name: file.sha256 for file in run.templates}
    files = find_inputs(replace(loaded, recipe=replace(loaded.recipe, sources=()))).templates
    changed += [file.name for file in files if locked.get(file.name, file.sha256) != file.sha256]
    if not changed:
        return ""
    return (
        f"{', '.join(changed)} changed since the model was trained, so it is asked in other words than it "
        f"learned. {loaded.command('plan')} says what differs."
    )


def _model(loaded: LoadedRecipe, run: LockedRun | None, inquiry: Inquiry) -> tuple[str, str]:
    if inquiry.model is not None:
        training = loaded.recipe.training
        provider, model = served_as(inquiry.model, inquiry.provider, loaded.project, training.provider)
        return model, provider
    job = run.job if run else None
    if job is None or not job.fine_tuned_model:
        raise RunnerError(
            f"there is no tuned model under the profile '{loaded.profile}' yet. "
            f"{loaded.command('run')} makes one; --model asks another."
        )
    return job.fine_tuned_model, inquiry.provider or job.provider


def _prompts(loaded: LoadedRecipe, data: Path, variant: str) -> Sequence[Example]:
    if not data.is_file():
        raise RunnerError(f"{data}: not found. Give a file of records, such as questions.jsonl.")
    # The operator named the file, wherever it lies; the recipe cannot.
    source, project = operators_file(data, loaded.project)
    recipe = prompt_recipe(loaded.recipe, loaded.folder, project, variant)
    found = list(read_confined(replace(recipe, sources=(source,)), loaded.folder, project))
    issues = [item for item in found if isinstance(item, Issue)]
    if issues:
        raise InvalidInputError(shortened(issues))
    examples = (item for item in found if not isinstance(item, Issue))
    return [replace(item, messages=tuple(without_answer(list(item.messages)))) for item in examples]


def _request(model: str, example: Example, inquiry: Inquiry) -> ChatRequest:
    messages, beside = asked_of(example.content, len(example.messages))
    return ChatRequest(
        model=model, messages=tuple(messages), beside=beside, max_tokens=inquiry.max_tokens, seed=SEED
    )


def _cache_folder(loaded: LoadedRecipe) -> Path:
    return loaded.project.make_state() / "evaluation" / "cache"
