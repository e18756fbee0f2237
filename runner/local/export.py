"""Copies a trained model out of the state folder, as a process of its own.

python -m runner.local.export --state DIR --job ID --to DIR [--step N] [--merge]
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from runner.errors import RunnerError
from runner.local.layout import Layout
from runner.local.rows import JobRow
from runner.local.store import Store

ADAPTER_CONFIG = "adapter_config.json"
# Weights are safetensors; what only this runner reads stays behind.
SUFFIXES = (".json", ".safetensors", ".jinja", ".model", ".txt")
LEFT_OUT = ("manifest.json",)


def main(arguments: Sequence[str]) -> int:
    """Write the model's files; a JSON object on stdout says of which kind they are, or what is wrong."""
    parser = argparse.ArgumentParser(prog="runner.local.export")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--job", required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--step", type=int)
    parser.add_argument("--merge", action="store_true")
    options = parser.parse_args(arguments)
    try:
        kind = export(
            Layout(options.state.resolve()), options.job, options.to, step=options.step, merge=options.merge
        )
    except RunnerError as error:
        print(json.dumps({"error": str(error)}))  # noqa: T201 - for the parent
        return 1
    print(json.dumps({"kind": kind}))  # noqa: T201 - for the parent
    return 0


def export(layout: Layout, job_id: str, target: Path, *, step: int | None, merge: bool) -> str:
    """Write a model, or its checkpoint, into an empty folder: `adapter`, `merged` or `model`.

    Raises RunnerError for a job or checkpoint that is not here, and where an adapter cannot be merged.
    """
    with closing(Store(layout.database)) as store:
        row = store.job(job_id)
    folder = layout.model(job_id) if step is None else layout.checkpoint(job_id, step)
    if row is None or not folder.is_dir():
        raise RunnerError(_missing(layout, job_id, step))
    is_adapter = (folder / ADAPTER_CONFIG).is_file()
    if is_adapter and merge:
        _merge(row, folder, target)
        return "merged"
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in SUFFIXES and path.name not in LEFT_OUT:
            shutil.copyfile(path, target / path.name)
    if is_adapter:
        _name_base(target / ADAPTER_CONFIG, layout.state.parent.resolve())
        return "adapter"
    return "model"


def _missing(layout: Layout, job_id: str, step: int | None) -> str:
    if step is None or not layout.model(job_id).is_dir():
        return f"the model of {job_id} is not on this machine."
    steps = sorted(int(path.name.rpartition("-")[2]) for path in layout.model(job_id).glob("ckpt-step-*"))
    kept = ", ".join(map(str, steps)) or "none"
    return f"{job_id} has no checkpoint of step {step}; kept are {kept}."


def _merge(row: JobRow, folder: Path, target: Path) -> None:
    from runner.local.training.job import TrainingError
    from runner.local.training.models import load_model

    try:
        loaded = load_model(row.base_model, folder, allow_network=row.allow_network)
    except TrainingError as error:
        raise RunnerError(str(error)) from error
    loaded.model.merge_and_unload().save_pretrained(str(target))
    loaded.tokenizer.save_pretrained(str(target))


def _name_base(path: Path, project: Path) -> None:
    """Say the base model and its commit apart, as other programs read them.

    A folder of the project goes by its place there: where the project lies concerns nobody.
    """
    config = json.loads(path.read_text(encoding="utf-8"))
    base = str(config["base_model_name_or_path"])
    if Path(base).is_relative_to(project):
        config |= {"base_model_name_or_path": Path(base).relative_to(project).as_posix()}
    elif not Path(base).is_absolute():
        name, _, revision = base.partition("@")
        config |= {"base_model_name_or_path": name, "revision": revision or config.get("revision")}
    path.write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
