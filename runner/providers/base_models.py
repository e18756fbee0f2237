"""What a recipe's `training.model` stands for at the local service: a built-in, a folder, or a hub name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.canonical import sha256_file, sha256_of
from runner.errors import RunnerError
from runner.hints import did_you_mean
from runner.project import Project
from runner.providers.hosts import Host

# https://huggingface.co/docs/hub/repositories (2026-11): owner/name, letters, digits, `-`, `_` and `.`
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModel:
    """A base model as it is named to the provider; `folder` is set for a model in the project."""

    name: str
    folder: Path | None = None

    def sha256(self) -> str | None:
        """Hash of a folder's files by name and content; None for a model that is only a name."""
        if self.folder is None:
            return None
        files = sorted(path for path in self.folder.iterdir() if path.is_file())
        return sha256_of({path.name: sha256_file(path) for path in files})


def find_base_model(name: str, host: Host, recipe_folder: Path, project: Project) -> BaseModel | str:
    """Find the base model of a recipe; a sentence for the user where there is none."""
    if not host.is_local or host.model(name) is not None:
        return BaseModel(name=name)
    folder = recipe_folder / name
    if folder.is_dir() or name.startswith((".", "/", "~")):
        return _folder_model(name, folder, project)
    if _HUB_NAME.fullmatch(name):
        return BaseModel(name=name)
    known = [model.name for model in host.models]
    return (
        f"found '{name}', expected a model of {host.name} ({', '.join(known)}), a folder in the project "
        f"or a Hugging Face name like owner/name. {did_you_mean(name, known)}"
    )


def refuse_download(model: BaseModel, host: Host, environment: Mapping[str, str]) -> None:
    """Raise RunnerError for a hub model that is not on this machine; `--allow-network` lets it be fetched.

    The cache's layout: https://huggingface.co/docs/huggingface_hub/guides/manage-cache (2026-11)
    """
    if not host.is_local or model.folder is not None or host.model(model.name) is not None:
        return
    home = Path(environment.get("HOME", "~")).expanduser()
    base = Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "huggingface"
    hub = Path(environment.get("HF_HOME") or base) / "hub"
    cache = Path(environment.get("HF_HUB_CACHE") or hub)
    if not (cache / f"models--{model.name.replace('/', '--')}").is_dir():
        raise RunnerError(
            f"the model {model.name} is not in this machine's Hugging Face cache ({cache}), and a recipe "
            "may not use the network. Allow the download with --allow-network. Nothing was sent."
        )


def _folder_model(name: str, folder: Path, project: Project) -> BaseModel | str:
    if not project.contains(folder):
        return f"found '{name}', expected a folder inside the project. Copy the model into the project."
    if not folder.is_dir():
        return f"found no folder '{name}'. Paths are relative to the recipe's folder."
    if not (folder / "config.json").is_file():
        return f"found no config.json in '{name}', expected a Hugging Face model folder."
    if not any(folder.glob("*.safetensors")):
        return f"found no .safetensors file in '{name}'. Other weight formats can run code and are not read."
    return BaseModel(name=project.name_of(folder), folder=folder.resolve())
