"""What a recipe's `training.model` stands for at the local service: a built-in, a folder, or a hub name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from runner.canonical import sha256_file, sha256_of
from runner.errors import RunnerError
from runner.hints import did_you_mean
from runner.lock.lockfile import LockedJob
from runner.model_folder import ModelFolderError, check_model_folder
from runner.project import Project
from runner.providers.hosts import Host
from runner.providers.hub_models import (
    DEFAULT_REVISION,
    HubModel,
    asked_commit,
    cache_folder,
    cached_commit,
    parse_hub_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModel:
    """A base model as it is named to the provider; `folder` is set for a model in the project.

    `hub` is set for one of the Hugging Face hub.
    """

    name: str
    folder: Path | None = None
    hub: HubModel | None = None

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
    hub = parse_hub_name(name)
    if hub is not None:
        return BaseModel(name=name, hub=hub)
    known = [model.name for model in host.models]
    return (
        f"found '{name}', expected a model of {host.name} ({', '.join(known)}), a folder in the project "
        f"or a Hugging Face name like owner/name or owner/name@revision. {did_you_mean(name, known)}"
    )


def told_name(job: LockedJob, recipe_folder: Path, project: Project) -> str:
    """The model of a locked job as its host was told of it, also where it is not on this machine any more.

    A folder goes by its place in the project, a model of the hub with the commit that was trained from.
    """
    if job.model_sha256 is not None:
        return project.name_of(recipe_folder / job.model)
    hub = parse_hub_name(job.model) if job.model_revision is not None else None
    return hub.at(job.model_revision) if hub and job.model_revision else job.model


def pinned_name(
    model: BaseModel, locked_commit: str | None, environment: Mapping[str, str], *, allow_network: bool
) -> str:
    """The model's name with the commit to train from: the locked one, else what its revision is now.

    Raises RunnerError for a hub model that is not on this machine; `allow_network` lets it be fetched.
    """
    if model.hub is None:
        return model.name
    wanted = replace(model.hub, revision=locked_commit) if locked_commit else model.hub
    commit = cached_commit(wanted, environment)
    if commit is None and not allow_network:
        at = f" at {wanted.revision}" if wanted.revision != DEFAULT_REVISION else ""
        raise RunnerError(
            f"the model {wanted.name}{at} is not in this machine's Hugging Face cache "
            f"({cache_folder(environment)}), and a recipe may not use the network. "
            "Allow the download with --allow-network. Nothing was sent."
        )
    return wanted.at(commit or locked_commit or asked_commit(wanted, environment))


def _folder_model(name: str, folder: Path, project: Project) -> BaseModel | str:
    if not project.contains(folder):
        return f"found '{name}', expected a folder inside the project. Copy the model into the project."
    if not folder.is_dir():
        return f"found no folder '{name}'. Paths are relative to the recipe's folder."
    try:
        check_model_folder(folder)
    except ModelFolderError as error:
        return f"the model '{name}' cannot be loaded: {error}"
    return BaseModel(name=project.name_of(folder), folder=folder.resolve())
