"""Which commit of a Hugging Face repository a model's name stands for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.display import one_line
from runner.errors import MissingExtraError, RunnerError

# owner/name, with @revision behind it where one is asked for: a commit, a tag or a branch.
# https://huggingface.co/docs/hub/repositories (2026-11): letters, digits, `-`, `_` and `.`
_NAME = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@(?P<revision>\w[\w.-]*(/\w[\w.-]*)*))?", re.ASCII
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
DEFAULT_REVISION = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubModel:
    """A repository and the revision that is asked for."""

    name: str
    revision: str = DEFAULT_REVISION

    def at(self, commit: str) -> str:
        """The name of the model at one commit, as the local service takes it."""
        return f"{self.name}@{commit}"


def parse_hub_name(text: str) -> HubModel | None:
    """Read `owner/name` or `owner/name@revision`; None for any other text."""
    match = _NAME.fullmatch(text)
    if match is None:
        return None
    return HubModel(name=match["name"], revision=match["revision"] or DEFAULT_REVISION)


def commit_of(name: str) -> str | None:
    """The commit that a model's name ends with, None where it names none."""
    commit = name.rpartition("@")[2]
    return commit if _COMMIT.fullmatch(commit) else None


def cached_commit(model: HubModel, environment: Mapping[str, str]) -> str | None:
    """The commit of a revision that this machine's cache holds.

    The cache's layout: https://huggingface.co/docs/huggingface_hub/guides/manage-cache (2026-11)
    """
    repository = cache_folder(environment) / f"models--{model.name.replace('/', '--')}"
    try:
        commit = (repository / "refs" / model.revision).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        commit = model.revision
    is_held = _COMMIT.fullmatch(commit) and (repository / "snapshots" / commit).is_dir()
    return commit if is_held else None


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where Hugging Face's libraries keep repositories on this machine."""
    home = Path(environment.get("HOME", "~")).expanduser()
    base = Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "huggingface"
    hub = Path(environment.get("HF_HOME") or base) / "hub"
    return Path(environment.get("HF_HUB_CACHE") or hub)


def asked_commit(model: HubModel, environment: Mapping[str, str]) -> str:
    """The commit of a revision as the hub says. Raises RunnerError, MissingExtraError."""
    try:
        import httpx2
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError
    except ImportError as error:
        raise MissingExtraError(
            "Training on this machine needs the extra `local` (huggingface_hub not found): "
            "pip install 'finetune-runner[local]'"
        ) from error
    hub = HfApi(endpoint=environment.get("HF_ENDPOINT"))
    try:
        return str(hub.model_info(model.name, revision=model.revision).sha)
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        raise RunnerError(
            f"the Hugging Face hub has no model {model.name} with the revision '{model.revision}', or gives "
            "you no access to it. Nothing was sent."
        ) from error
    except (OSError, httpx2.HTTPError) as error:
        raise RunnerError(
            f"the Hugging Face hub cannot be asked for {model.name}: {one_line(str(error), limit=200)}. "
            "Nothing was sent."
        ) from error
