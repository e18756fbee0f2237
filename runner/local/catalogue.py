"""Finds the model that a name stands for."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from runner.local.layout import Layout
from runner.local.store import Store

BUILT_IN = ("tiny-1",)
# In the folder of an adapter: https://huggingface.co/docs/peft/developer_guides/checkpoint (2026-11)
ADAPTER_CONFIG = "adapter_config.json"
# owner/name and, where one is asked for, @revision: https://huggingface.co/docs/hub/repositories (2026-11)
HUB_NAME = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@\w[\w.-]*(/\w[\w.-]*)*)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundModel:
    """What to load: `path` is set for weights on disk that were trained from `base_model`.

    `base_model` is a built-in, a Hugging Face name or the absolute path of a folder; `label` stands for it in
    the names of models made from it.
    """

    base_model: str
    label: str
    path: Path | None = None


def kind_of_tuning(base_model: str, path: Path | None) -> str | None:
    """How a model can only be tuned: "none" is without an adapter; None where there is a choice."""
    if base_model in BUILT_IN:
        return "none"
    if path is None:
        return None
    return "adapter" if (path / ADAPTER_CONFIG).is_file() else "none"


class UnknownModelError(Exception):
    """No model has this name; the text suggests near ones."""


def find_model(store: Store, layout: Layout, name: str) -> FoundModel:
    """Find a fine-tuned model, a built-in, a folder in the project or at an absolute path, or a hub name.

    Whether a hub model is on this machine is for training to say. Raises UnknownModelError.
    """
    row = store.model(name)
    if row is not None:
        label = row.id.removeprefix("ft:").split(":local:")[0]
        return FoundModel(base_model=row.base_model, label=label, path=layout.root / row.path)
    if name in BUILT_IN:
        return FoundModel(base_model=name, label=name)
    project = layout.state.parent.resolve()
    folder = _model_folder(project, name)
    if folder is not None:
        label = folder.relative_to(project).as_posix() if folder.is_relative_to(project) else str(folder)
        return FoundModel(base_model=str(folder), label=label)
    hub = HUB_NAME.fullmatch(name)
    if hub is not None:
        return FoundModel(base_model=name, label=hub[1])
    raise UnknownModelError(_no_such_model(store, name))


def _model_folder(project: Path, name: str) -> Path | None:
    try:
        folder = (project / name).resolve()
        is_model = (folder / "config.json").is_file()
    except (OSError, ValueError):
        # A name that cannot be a path: too long, or with a zero byte.
        return None
    is_allowed = Path(name).is_absolute() or folder.is_relative_to(project)
    return folder if is_model and is_allowed else None


def _no_such_model(store: Store, name: str) -> str:
    known = [*BUILT_IN, *(row.id for row in store.models())]
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(f'`{match}`' for match in near)}?" if near else ""
    return f"The model `{name}` does not exist.{hint}"
