"""From a configuration file of another tool to the text of a recipe."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from runner.converting import axolotl, llama_factory, openai_job
from runner.converting.common import OddSettingsError, Site
from runner.converting.conversion import Converted, Note
from runner.errors import RunnerError
from runner.recipe.formatting import format_recipe

MAX_BYTES = 4 << 20
Recognise = Callable[[Mapping[str, Any]], bool]
Convert = Callable[[Mapping[str, Any], Site], Converted]
TOOLS: dict[str, tuple[Recognise, Convert]] = {
    "OpenAI": (openai_job.is_openai_job, openai_job.convert),
    "LLaMA-Factory": (llama_factory.is_llama_factory, llama_factory.convert),
    "Axolotl": (axolotl.is_axolotl, axolotl.convert),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The text of a recipe, the tool whose settings it was made of, and what became of each."""

    tool: str
    text: str
    notes: tuple[Note, ...]


def convert_file(site: Site) -> Written:
    """Make a recipe of a configuration. Raises RunnerError for a file that is none that is known."""
    file, recipe = site.file, site.recipe
    settings = _settings(file)
    for tool, (recognises, convert) in TOOLS.items():
        if recognises(settings):
            try:
                made = convert(settings, site)
            except OddSettingsError as error:
                raise RunnerError(f"{file}: {error}") from error
            return Written(tool=tool, text=_text(made, recipe, file), notes=made.notes)
    raise RunnerError(
        f"{file}: found no settings of {', '.join(TOOLS)}, expected such a YAML or JSON file. "
        "For data, use `finetune init`; for a job, give its ID."
    )


def _settings(file: Path) -> Mapping[str, Any]:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES)
        # Other tools read their files with the safe loader of YAML 1.1, which reads JSON too.
        value = json.loads(content) if file.suffix == ".json" else yaml.safe_load(content)
    except OSError as error:
        raise RunnerError(f"{file}: cannot be read: {error.strerror}.") from error
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise RunnerError(f"{file}: found neither YAML nor JSON, expected the settings of a tool.") from error
    return value if isinstance(value, dict) else {}


def _text(made: Converted, recipe: Path, file: Path) -> str:
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in file.stem.lower())
    value = {**made.recipe, "name": name.strip("-")[:60].strip("-") or "recipe"}
    if not value["sources"]:
        value["sources"] = [{"path": "data.jsonl"}]
    value.setdefault("template", {"from": "openai"})
    written = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=100)
    head = f"# From {file.name} by `finetune import`.\n"
    return format_recipe((head + written).encode(), recipe.name).decode()
