"""Other ways to build the same dataset; each writes train.jsonl and validation.jsonl into a folder."""

import csv
import hashlib
import json
import math
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import others
import yaml
from common import Record, side_of, value_of

MAX_TOKENS = 65_536


def plain(recipe: dict[str, Any], folder: Path, out: Path) -> None:
    """The same work with the usual libraries: jmespath, sandboxed Jinja, json; one process, lists in memory.

    The checks are all of this project's rules, called one after another as a library.
    """
    _plain(recipe, folder, out, RuleChecks())


def few(recipe: dict[str, Any], folder: Path, out: Path) -> None:
    """As `plain`, less work: a dozen checks by hand, no look at what the texts say."""
    _plain(recipe, folder, out, FewChecks())


def checked_datasets(recipe: dict[str, Any], folder: Path, out: Path, *, num_proc: int | None = 2) -> None:
    """Hugging Face datasets, and this project's rules called one after another on what it made."""
    checks = RuleChecks()
    others.hugging_face(recipe, folder, out, checks.check, num_proc=num_proc)
    print(json.dumps(checks.findings(*(_n_lines(out / f"{side}.jsonl") for side in others.SIDES))))


def _n_lines(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(1 for _ in lines)


def _plain(recipe: dict[str, Any], folder: Path, out: Path, checks: "FewChecks | RuleChecks") -> None:
    import jmespath
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=StrictUndefined, finalize=_printable)
    messages = [
        (item["role"], environment.from_string(item["content"])) for item in recipe["template"]["messages"]
    ]
    where = environment.compile_expression(recipe["where"])
    fields = [
        (name, spec if isinstance(spec, dict) else {"path": spec}) for name, spec in recipe["fields"].items()
    ]
    paths = [(name, jmespath.compile(spec["path"]), spec) for name, spec in fields]
    lines: dict[str, list[bytes]] = {"train": [], "validation": []}
    for row, record in enumerate(read(folder, recipe["sources"][0]), start=1):
        values = {name: value_of(path.search(record), spec) for name, path, spec in paths}
        if not where(**values):
            continue
        turns = [{"role": role, "content": template.render(**values)} for role, template in messages]
        side = side_of(values[recipe["split"]["group_by"]], recipe["split"])
        checks.check(row, record[recipe["key"]], turns, side)
        text = json.dumps({"messages": turns}, ensure_ascii=False, separators=(",", ":"))
        lines[side].append(text.encode() + b"\n")
    for side, content in lines.items():
        data = b"".join(content)
        hashlib.sha256(data).hexdigest()
        (out / f"{side}.jsonl").write_bytes(data)
    print(json.dumps(checks.findings(len(lines["train"]), len(lines["validation"]))))


def _printable(value: Any) -> Any:
    if value is None or isinstance(value, list | dict):
        raise ValueError(f"{value!r} is no text")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> Record:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError(f"a key is repeated: {pairs}")
    return result


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def read(folder: Path, source: dict[str, Any]) -> Iterator[Record]:
    """The records of a source."""
    path = folder / source["path"]
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as stream:
            yield from csv.DictReader(stream)
    elif path.suffix == ".jsonl":
        with path.open(encoding="utf-8") as stream:
            yield from map(_DECODER.decode, stream)
    elif path.suffix == ".parquet":
        from pyarrow.parquet import ParquetFile

        for batch in ParquetFile(path).iter_batches(batch_size=1_000):
            yield from batch.to_pylist()
    else:
        value = _DECODER.decode(path.read_text(encoding="utf-8"))
        yield from value[source["records"]] if "records" in source else value


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)


class RuleChecks:
    """All rules that a build runs, each on its own."""

    def __init__(self) -> None:
        from runner.dataset.checks import Checker, DatasetLimits
        from runner.dataset.tokens import EstimatedTokens

        self.keys: set[str] = set()
        self.counter = EstimatedTokens()
        self.checker = Checker(DatasetLimits(min_examples=10, max_example_tokens=MAX_TOKENS), self.counter)

    def check(self, row: int, key: str, turns: list[dict[str, str]], side: str) -> None:
        """Check one example on its own and against those before it."""
        from runner.dataset.checks.conversation import conversation_of_turns
        from runner.dataset.checks.hits import Origin

        if key in self.keys:
            raise ValueError(f"{key}: repeated key")
        self.keys.add(key)
        pairs = [(turn["role"], turn["content"]) for turn in turns]
        conversation = conversation_of_turns(pairs, self.counter.count(pairs))
        examined = self.checker.examiner.examine(conversation)
        self.checker.collect(
            Origin(f"{row:016x}", "data", row), "training" if side == "train" else "validation", examined
        )

    def findings(self, n_training: int, n_validation: int) -> dict[str, int]:
        """How often each rule fired."""
        found = self.checker.findings(n_training, n_validation, split_asked=True, keyed=True)
        return {item.code: item.count for item in found}


class FewChecks:
    """Keys that repeat, roles, empty and long messages, repeated and contradicting examples, leaks."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.pairs: set[bytes] = set()
        self.sides: dict[bytes, str] = {}
        self.problems: list[str] = []

    def check(self, _: int, key: str, turns: list[dict[str, str]], side: str) -> None:
        """Check one example on its own and against those before it."""
        if key in self.keys:
            self.problems.append(f"{key}: repeated key")
        self.keys.add(key)
        roles = [turn["role"] for turn in turns]
        if "user" not in roles or roles[-1] != "assistant" or "system" in roles[1:]:
            self.problems.append(f"{key}: roles")
        if any(not turn["content"].strip() for turn in turns):
            self.problems.append(f"{key}: empty message")
        if self._tokens(turns) > MAX_TOKENS:
            self.problems.append(f"{key}: too long")
        question = hashlib.sha256(json.dumps(turns[:-1]).encode()).digest()
        pair = question + hashlib.sha256(turns[-1]["content"].encode()).digest()
        if pair in self.pairs:
            self.problems.append(f"{key}: repeats an example")
        elif question in self.sides:
            self.problems.append(f"{key}: another answer")
        self.pairs.add(pair)
        if self.sides.setdefault(question, side) != side:
            self.problems.append(f"{key}: on both sides")

    def findings(self, *_: int) -> list[str]:
        """The first problems."""
        return self.problems[:20]

    def _tokens(self, turns: list[dict[str, str]]) -> int:
        total = 3
        for turn in turns:
            content = turn["content"]
            n_ascii = len(content.encode("ascii", "ignore"))
            total += 4 + math.ceil(n_ascii / 5.5 + (len(content) - n_ascii) / 1.8)
        return total


CONTENDERS: dict[str, Callable[[dict[str, Any], Path, Path], None]] = {
    "plain": plain,
    "few": few,
    "datasets": others.hugging_face,
    "datasets-alone": partial(others.hugging_face, num_proc=None),
    "datasets-checked": checked_datasets,
    "datasets-checked-alone": partial(checked_datasets, num_proc=None),
    "polars": others.polars,
    "duckdb": others.duckdb,
}


def main() -> None:
    """Run one contender: its name, a recipe, a folder for what it writes."""
    name, recipe, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    content = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    CONTENDERS[name](content, recipe.parent, out)


if __name__ == "__main__":
    main()
