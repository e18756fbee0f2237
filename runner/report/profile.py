"""What a dataset looks like: how long its examples are, who speaks, in which script, what repeats."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.dataset.checks.scripts import script_of
from runner.dataset.tokens import TokenCounter
from runner.dataset.value import DatasetFile
from runner.examples.read import Message
from runner.tokens.statistics import TokenStatistics, token_statistics

SAMPLES = 6
NO_SCRIPT = "too short to tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An example as it stands on a line of the file."""

    line: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProfile:
    """One file of examples.

    `roles` counts messages, `scripts` examples by the script of their last message. `n_repeated` examples are
    word for word like an earlier one; `n_same_prompt` ask what an earlier one asked and answer otherwise.
    """

    file: DatasetFile
    characters: TokenStatistics
    tokens: TokenStatistics
    tokens_exact: bool
    roles: Mapping[str, int] = field(default_factory=dict)
    scripts: Mapping[str, int] = field(default_factory=dict)
    n_repeated: int = 0
    n_same_prompt: int = 0
    samples: tuple[Sample, ...] = ()


def profile_of(path: Path, file: DatasetFile, counter: TokenCounter, limit: int | None) -> FileProfile:
    """Read a file of a dataset once and sum it up; `limit` is the most tokens an example may have."""
    roles: Counter[str] = Counter()
    scripts: Counter[str] = Counter()
    characters, tokens = list[int](), list[int]()
    seen, prompts = set[bytes](), set[bytes]()
    n_repeated = n_same_prompt = 0
    samples: list[Sample] = []
    wanted = _spread(file.n_examples)
    for number, messages in enumerate(_conversations(path), start=1):
        roles.update(message.role for message in messages)
        scripts[script_of(messages[-1].content) or NO_SCRIPT if messages else NO_SCRIPT] += 1
        characters.append(sum(len(message.content) for message in messages))
        tokens.append(counter.count(messages))
        whole, prompt = _digest(messages), _digest(messages[:-1])
        n_repeated += whole in seen
        n_same_prompt += prompt in prompts and whole not in seen
        seen.add(whole)
        prompts.add(prompt)
        if number in wanted:
            samples.append(Sample(line=number, messages=messages))
    return FileProfile(
        file=file,
        characters=token_statistics(characters),
        tokens=token_statistics(tokens, limit=limit),
        tokens_exact=counter.margin == 0,
        roles=dict(roles.most_common()),
        scripts=dict(scripts.most_common()),
        n_repeated=n_repeated,
        n_same_prompt=n_same_prompt,
        samples=tuple(samples),
    )


def _spread(count: int) -> frozenset[int]:
    """Lines at equal distances, so that a file in the order of its sources shows all of them."""
    shown = min(SAMPLES, count)
    return frozenset(1 + place * count // shown for place in range(shown))


def _conversations(path: Path) -> Iterator[tuple[Message, ...]]:
    with path.open("rb") as lines:
        for line in lines:
            yield tuple(_messages(json.loads(line)))


def _messages(value: Mapping[str, Any]) -> Iterator[Message]:
    """The messages of a line; of a preference the prompt, then both answers under names of their own."""
    if "messages" in value:
        yield from _turns(value["messages"])
        return
    yield from _turns(value.get("input", {}).get("messages", ()))
    yield from _turns(value.get("non_preferred_output", ()), "not preferred")
    yield from _turns(value.get("preferred_output", ()), "preferred")


def _turns(messages: Sequence[Mapping[str, Any]], role: str | None = None) -> Iterator[Message]:
    for message in messages:
        content = message.get("content")
        if not isinstance(content, str):
            rest = {name: item for name, item in message.items() if name != "role" and item is not None}
            content = json.dumps(rest, ensure_ascii=False) if rest else ""
        yield Message(role or str(message.get("role", "")), content)


def _digest(messages: Sequence[Message]) -> bytes:
    digest = hashlib.blake2b(digest_size=12)
    for part in (part for message in messages for part in message):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.digest()
