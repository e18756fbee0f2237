"""Asks a model many questions at a time, each only once."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from runner.canonical import canonical_json, sha256_of, write_atomically
from runner.clock import Clock
from runner.display import one_line
from runner.errors import ProviderError
from runner.providers.base import (
    ChatRequest,
    Completion,
    ConnectionLostError,
    NotFoundError,
    NotOfferedError,
    Provider,
)

# What every further question would meet too.
HOPELESS = (NotFoundError, NotOfferedError, ConnectionLostError)
CUT_OFF = "length"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered, or the `failure` that came instead; seconds and tokens are None where unknown."""

    text: str = ""
    tool_calls: Sequence[Mapping[str, Any]] = ()
    failure: str | None = None
    latency_s: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish_reason: str | None = None

    @classmethod
    def of(cls, completion: Completion, latency_s: float | None = None) -> "Answer":
        """An answer that came."""
        return cls(
            text=completion.text,
            tool_calls=completion.tool_calls,
            latency_s=latency_s,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            finish_reason=completion.finish_reason,
        )

    @property
    def is_cut(self) -> bool:
        """Whether the answer ended at the limit of tokens."""
        return self.finish_reason == CUT_OFF


class AnswerCache:
    """Answers on disk by their whole request and where it went; failures are not kept."""

    def __init__(self, folder: Path, provider: str, base_url: str) -> None:
        self.folder = folder
        self.target = {"provider": provider, "base_url": base_url}

    def get(self, request: ChatRequest) -> Answer | None:
        """The answer that an equal request got before."""
        try:
            return Answer(**json.loads(self._path(request).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def put(self, request: ChatRequest, answer: Answer) -> None:
        """Keep an answer."""
        write_atomically(self._path(request), canonical_json(asdict(answer)))

    def _path(self, request: ChatRequest) -> Path:
        name = sha256_of({**self.target, **_request_value(request)})
        return self.folder / name[:2] / f"{name}.json"


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How questions are asked; `told` is called with the number of answers so far."""

    provider: Provider
    cache: AnswerCache
    clock: Clock
    concurrency: int = 4
    told: Callable[[int], None] = lambda _: None


def ask_all(asking: Asking, requests: Sequence[ChatRequest]) -> list[Answer]:
    """The answers to all requests in their order; what fails is an answer too.

    A failure that every other request would share, such as an unknown model, is not provoked again.
    """
    answers: dict[int, Answer] = {}
    for number, request in enumerate(requests):
        cached = asking.cache.get(request)
        if cached is not None:
            answers[number] = cached
    asking.told(len(answers))
    open_ones = [number for number in range(len(requests)) if number not in answers]
    hopeless = None
    if open_ones:
        first, *open_ones = open_ones
        answers[first], hopeless = _ask(asking, requests[first])
        asking.told(len(answers))
    if hopeless is not None:
        answers |= dict.fromkeys(open_ones, Answer(failure=hopeless))
        open_ones = []
    with ThreadPoolExecutor(max_workers=asking.concurrency) as pool:
        try:
            asked = pool.map(lambda number: _ask(asking, requests[number])[0], open_ones)
            for number, answer in zip(open_ones, asked, strict=True):
                answers[number] = answer
                asking.told(len(answers))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [answers[number] for number in range(len(requests))]


def _ask(asking: Asking, request: ChatRequest) -> tuple[Answer, str | None]:
    """One answer; the text says why no other question would get one either."""
    started = asking.clock.now()
    try:
        completion = asking.provider.complete(request)
    except ProviderError as error:
        failure = one_line(str(error), limit=300)
        return Answer(failure=failure), failure if isinstance(error, HOPELESS) else None
    answer = Answer.of(completion, latency_s=round(asking.clock.now() - started, 4))
    asking.cache.put(request, answer)
    return answer, None


def _request_value(request: ChatRequest) -> dict[str, Any]:
    value = {**asdict(request), "messages": [dict(message) for message in request.messages]}
    # A question of text alone keeps the name that its answer was kept under before there were others.
    return {name: item for name, item in value.items() if name != "beside" or item}
