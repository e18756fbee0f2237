"""Asks every candidate every question, paid ones after a yes, and scores the answers."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from runner.errors import ProviderError, RunnerError
from runner.evaluating.paying import PaidBatch, confirm_paid, judging_batches, paid_batch
from runner.evaluating.study import Study
from runner.evaluating.wanted import Console
from runner.evaluation.ask import Answer, Asking, ask_all
from runner.evaluation.assemble import Outcome
from runner.evaluation.candidates import TUNED, Candidate
from runner.evaluation.scores import chat_with, judges, score_all
from runner.graders.grade import Means
from runner.hints import listed
from runner.providers.base import BareNotFoundError, NotFoundError, Provider
from runner.providers.hosts import Host
from runner.running.state import provider_of


def ask(study: Study, console: Console) -> list[Outcome]:
    """Ask every candidate every question and score the answers."""
    confirm_paid(_paid_batches(study), study.operator, console)
    with ExitStack() as stack:
        opened: dict[str, Provider] = {}

        def provider(host: Host) -> Provider:
            if host.name not in opened:
                opened[host.name] = provider_of(host, study.loaded.project, study.operator)
                stack.callback(opened[host.name].close)
            return opened[host.name]

        # A key that is missing is missed before the first question, not after all those of another host.
        for each in study.hosts.values():
            provider(each)
        outcomes = []
        judge = provider(study.judge) if judges(study.graders) else None
        for candidate in study.candidates:
            host = study.hosts.get(candidate.provider)
            answers = _looked_up(study) if host is None else _asked(study, candidate, provider(host), console)
            if candidate.name == study.subject:
                _refuse_silence(study, candidate, answers, provider)
            outcomes.append(_scored(study, candidate, answers, judge))
    _refuse_mute_graders(study, outcomes)
    return outcomes


def _scored(study: Study, candidate: Candidate, answers: list[Answer], judge: Provider | None) -> Outcome:
    judged: list[tuple[str, Answer]] = []

    def told(model: str, reply: Answer) -> None:
        judged.append((model, reply))

    chat = chat_with(judge, study.cache(study.judge), told) if judge is not None else None
    means = Means(chat=chat, allow_code=study.wanted.allow_code)
    return Outcome(
        candidate=candidate,
        answers=answers,
        scored=score_all(study.graders, study.items, answers, means, study.wanted.concurrency),
        host=study.hosts.get(candidate.provider),
        judged=judged,
        judge=study.judge,
    )


def _asked(study: Study, candidate: Candidate, provider: Provider, console: Console) -> list[Answer]:
    requests = study.requests(candidate)
    console.say(f"asking {candidate.name} ({candidate.model} at {candidate.provider})")
    asking = Asking(
        provider=provider,
        cache=study.cache(study.hosts[candidate.provider]),
        clock=study.operator.clock,
        # The service here answers one after the other: more at a time would only measure their queue.
        concurrency=1 if study.hosts[candidate.provider].is_local else study.wanted.concurrency,
        told=lambda done: console.count(done, len(requests)),
    )
    return ask_all(asking, requests)


def _looked_up(study: Study) -> list[Answer]:
    """The answer of the nearest training record, for every question."""
    nearest, clock = study.prompter.nearest, study.operator.clock
    if nearest is None:
        raise AssertionError("BUG: nothing to look answers up in")
    answers = []
    for item in study.items:
        started = clock.now()
        found = nearest.find(item.question, 1)
        text = found[0].example.messages[-1].content if found else ""
        taken_s = round(clock.now() - started, 4)
        answers.append(Answer(text=text, latency_s=taken_s, prompt_tokens=0, completion_tokens=0))
    return answers


def _refuse_mute_graders(study: Study, outcomes: Sequence[Outcome]) -> None:
    """A grader that scores no answer of anybody is broken, and an evaluation by it would say nothing."""
    came = [
        scored
        for outcome in outcomes
        for answer, scored in zip(outcome.answers, outcome.scored, strict=True)
        if answer.failure is None
    ]
    mute = [
        grader.name for grader in study.graders if all(grader.name not in scored.scores for scored in came)
    ]
    if came and mute:
        raise RunnerError(
            f"{listed(mute)} scored none of {len(came)} answers, the first because: {came[0].failure}. "
            "The answers are kept for the next time; nothing was locked."
        )


def _refuse_silence(
    study: Study, candidate: Candidate, answers: Sequence[Answer], provider: Callable[[Host], Provider]
) -> None:
    if any(answer.failure is None for answer in answers):
        return
    said = (
        f"{candidate.name} ({candidate.model} at {candidate.provider}) answered none of "
        f"{len(answers)} questions: {answers[0].failure}"
    )
    host = study.hosts.get(candidate.provider)
    if candidate.name == TUNED and host is not None and _is_gone(candidate, provider(host)):
        # A plan looks whether a model of this machine is there; a hosted one it takes from the lockfile.
        again = study.loaded.command("run" if host.is_local else "rerun")
        said = f"{said.removesuffix('.')}. {again} trains it again."
    raise ProviderError(said)


def _is_gone(candidate: Candidate, provider: Provider) -> bool:
    """Whether the provider has no such model, as after it was deleted."""
    try:
        provider.retrieve_model(candidate.model or "")
    except BareNotFoundError:
        return False
    except ProviderError as error:
        return isinstance(error, NotFoundError)
    return False


def _paid_batches(study: Study) -> list[PaidBatch]:
    """What would be paid for: the questions to every candidate, then those to the models that judge."""
    batches = [
        paid_batch(candidate, host, study.requests(candidate), study.cache(host))
        for candidate in study.candidates
        if (host := study.hosts.get(candidate.provider)) is not None and host.paid
    ]
    if judges(study.graders) and study.judge.paid:
        batches += judging_batches(study)
    return batches
