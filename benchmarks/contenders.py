"""Other ways to build the same dataset; each writes train.jsonl and validation.jsonl into a folder."""

import csv
import hashlib
import json
import math
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

Record = dict[str, Any]

MAX_TOKENS = 65_536


def plain(recipe: dict[str, Any], folder: Path, out: Path) -> None:
    """What one would write with the usual libraries: jmespath, sandboxed Jinja, json; lists in memory."""
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
    checks = Checks()
    lines: dict[str, list[bytes]] = {"train": [], "validation": []}
    for record in read(folder, recipe["sources"][0]):
        values = {name: _value(path.search(record), spec) for name, path, spec in paths}
        if not where(**values):
            continue
        turns = [{"role": role, "content": template.render(**values)} for role, template in messages]
        side = _side(values[recipe["split"]["group_by"]], recipe["split"])
        checks.check(record[recipe["key"]], turns, side)
        text = json.dumps({"messages": turns}, ensure_ascii=False, separators=(",", ":"))
        lines[side].append(text.encode() + b"\n")
    for side, content in lines.items():
        data = b"".join(content)
        hashlib.sha256(data).hexdigest()
        (out / f"{side}.jsonl").write_bytes(data)
    if checks.problems:
        sys.exit("\n".join(checks.problems[:20]))


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
    else:
        value = _DECODER.decode(path.read_text(encoding="utf-8"))
        yield from value[source["records"]] if "records" in source else value


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)


class Checks:
    """The rules FT101 to FT112, and keys that repeat."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.pairs: set[bytes] = set()
        self.sides: dict[bytes, str] = {}
        self.problems: list[str] = []

    def check(self, key: str, turns: list[dict[str, str]], side: str) -> None:
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

    def _tokens(self, turns: list[dict[str, str]]) -> int:
        total = 3
        for turn in turns:
            content = turn["content"]
            n_ascii = len(content.encode("ascii", "ignore"))
            total += 4 + math.ceil(n_ascii / 5.5 + (len(content) - n_ascii) / 1.8)
        return total


def _value(value: Any, spec: dict[str, Any]) -> Any:
    if value is None:
        value = spec.get("default")
    if "join" in spec and isinstance(value, list):
        value = spec["join"].join(value)
    if spec.get("trim"):
        value = value.strip()
    return re.sub(r"\s+", " ", value) if spec.get("collapse_space") else value


def _side(identity: str, split: dict[str, Any]) -> str:
    digest = hashlib.sha256(f"{split['seed']}\0{identity}".encode()).digest()
    fraction = int.from_bytes(digest[:8], "big") / 2**64
    return "validation" if fraction < split["validation"] else "train"


def hugging_face(recipe: dict[str, Any], folder: Path, out: Path) -> None:
    """Hugging Face datasets: map, filter and to_json in two processes; less work: no checks, no hashes."""
    import datasets
    import jmespath
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    datasets.disable_progress_bars()
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    messages = [
        (item["role"], environment.from_string(item["content"])) for item in recipe["template"]["messages"]
    ]
    paths = [
        (name, jmespath.compile(spec["path"] if isinstance(spec, dict) else spec), spec)
        for name, spec in recipe["fields"].items()
    ]

    def render(record: Record) -> Record:
        values = {
            name: _value(path.search(record), spec if isinstance(spec, dict) else {})
            for name, path, spec in paths
        }
        turns = [{"role": role, "content": template.render(**values)} for role, template in messages]
        return {"messages": turns, "body": values["body"], "side": _side(values["title"], recipe["split"])}

    source = recipe["sources"][0]
    kind = "csv" if source["path"].endswith(".csv") else "json"
    options = {"field": source["records"]} if "records" in source else {}
    table = datasets.load_dataset(
        kind,
        data_files=str(folder / source["path"]),
        split="train",
        cache_dir=str(out / "cache"),
        **options,
    )
    table = table.map(render, remove_columns=table.column_names, num_proc=2)
    table = table.filter(lambda row: len(row["body"]) >= 20, num_proc=2)
    for side in ("train", "validation"):
        part = table.filter(lambda row, side=side: row["side"] == side, num_proc=2)
        part.select_columns(["messages"]).to_json(out / f"{side}.jsonl", force_ascii=False)


CONTENDERS: dict[str, Callable[[dict[str, Any], Path, Path], None]] = {
    "plain": plain,
    "datasets": hugging_face,
}


def main() -> None:
    """Run one contender: its name, a recipe, a folder for what it writes."""
    name, recipe, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    content = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    CONTENDERS[name](content, recipe.parent, out)


if __name__ == "__main__":
    main()
