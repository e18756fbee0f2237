"""Host entries: what describes a provider, as dated data."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from runner.canonical import sha256_of
from runner.errors import InvalidInputError, RunnerError
from runner.hints import did_you_mean, nearest
from runner.issues import Issue, Place, json_path
from runner.project import Project
from runner.schema import violations

SHIPPED = ("azure", "bedrock", "crusoe", "litellm", "local", "nebius", "openai")
DATES = ("on", "price_as_of", "no_new_jobs_from", "shutdown_date")
# Where a project keeps entries of its own, below its root.
PROJECT_FOLDER = "hosts"
FINGERPRINT_CHARACTERS = 24


# What a host has that says nothing else.
OPENAI_NAMES = {name: name for name in ("n_epochs", "batch_size", "learning_rate_multiplier")}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostModel:
    """A base model a host trains; prices in US dollars per million tokens, None where unknown.

    `tokenizer` is a tokenizer file inside this package and `chat_format` how a message is written for it.
    Without `methods`, all of the host's are for it.
    """

    name: str
    methods: tuple[str, ...] = ()
    without_options: tuple[str, ...] = ()
    max_example_tokens: int | None = None
    takes_images: bool = False
    takes_tools: bool = True
    tokenizer: str | None = None
    chat_format: str = ""
    training_usd_per_million_tokens: float | None = None
    input_usd_per_million_tokens: float | None = None
    output_usd_per_million_tokens: float | None = None
    tuned_input_usd_per_million_tokens: float | None = None
    tuned_output_usd_per_million_tokens: float | None = None
    price_as_of: date | None = None
    price_source: str = ""
    no_new_jobs_from: date | None = None
    shutdown_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that changes at a host on a date."""

    on: date
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLimits:
    """What a host accepts."""

    min_examples: int
    max_file_bytes: int
    max_suffix_characters: int
    suffix_pattern: str | None = None
    max_upload_bytes: int | None = None

    @property
    def largest_bytes(self) -> int:
        """The largest file that reaches the host, in one request or in parts."""
        return max(self.max_file_bytes, self.max_upload_bytes or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOption:
    """Something a host takes beside OpenAI's API; `place` is "hyperparameters" or "body".

    Of text, only the `values`, where there are any. One that `needs_validation` compares epochs by it.
    """

    name: str
    place: str
    type: str
    description: str
    values: tuple[str, ...] = ()
    needs_validation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A provider; `key_variable` names the environment variable of its key, `base_url` is empty for local.

    `methods` has the host's name of every hyperparameter it knows, by method. `origin` is the file in the
    project that the entry was read from, empty for the shipped ones and the user's own; `fingerprint` tells
    what it says, so that a permission ends when that changes.
    """

    name: str
    as_of: date
    limits: HostLimits
    base_url: str = ""
    url_variables: tuple[str, ...] = ()
    key_variable: str = ""
    paid: bool = True
    keeps_metadata: bool = False
    takes_auto: bool = True
    lists_events: bool = True
    lists_checkpoints: bool = True
    sends_organization: bool = False
    restates: tuple[str, ...] = ()
    methods: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {"supervised": OPENAI_NAMES})
    options: tuple[HostOption, ...] = ()
    deployment: str = ""
    models: tuple[HostModel, ...] = ()
    notices: tuple[Notice, ...] = ()
    origin: str = ""
    fingerprint: str = ""

    @property
    def is_local(self) -> bool:
        """Whether this is the embedded service, whose models lie on this machine."""
        return self.name == "local"

    def model(self, name: str) -> HostModel | None:
        """The entry of a base model, None where the host has none for it."""
        return next((model for model in self.models if model.name == name), None)

    def near_model(self, name: str) -> str:
        """Ask about the known model that a name without an entry looks like; empty for others.

        The list may be behind the host, so that an unknown name is no error; `ft:` names are results.
        """
        known = [model.name for model in self.models]
        return "" if name in known or ":" in name else nearest(name, known)


def find_host(name: str, user_folder: Path | None = None, project: Project | None = None) -> Host:
    """The host entry of a name: the user's own `<name>.toml` if there is one, else the shipped one.

    A project may bring entries of other names in its folder `hosts/`; they get no key unless the operator
    allows it. Raises RunnerError for an unknown name, InvalidInputError with all problems of an entry.
    """
    names = host_names(user_folder, project)
    if name not in names:
        raise RunnerError(f"found no provider '{name}'. {did_you_mean(name, names)}")
    own = user_folder / f"{name}.toml" if user_folder else None
    if own is not None and own.is_file():
        return _parse_host(name, own.read_bytes(), str(own))
    shared = _project_entries(project).get(name)
    if shared is None or project is None:
        content = (Path(__file__).parent / f"{name}.toml").read_bytes()
        return _parse_host(name, content, f"{name}.toml")
    file = f"{PROJECT_FOLDER}/{name}.toml"
    if name in SHIPPED:
        message = (
            f"found an entry for '{name}', which comes with finetune-runner: a project cannot replace it."
        )
        raise _unusable(file, f"{message} Give it another name.")
    if not project.contains(shared):
        raise _unusable(file, "found a link that leads out of the project. Copy the file into the project.")
    return _parse_host(name, shared.read_bytes(), file, origin=file)


def host_names(user_folder: Path | None = None, project: Project | None = None) -> list[str]:
    """The names of all host entries, sorted."""
    own = [path.stem for path in user_folder.glob("*.toml")] if user_folder else []
    return sorted({*SHIPPED, *own, *_project_entries(project)})


def _project_entries(project: Project | None) -> dict[str, Path]:
    folder = project.root / PROJECT_FOLDER if project else None
    return {path.stem: path for path in folder.glob("*.toml")} if folder else {}


def _parse_host(name: str, content: bytes, file: str, *, origin: str = "") -> Host:
    try:
        entry = tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise _unusable(file, "found bytes that are not UTF-8. Save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise _unusable(file, f"not TOML: {error}.") from error
    value = _plain(entry)
    issues = [
        Issue(place=Place(file=file), path=json_path(found.path), message=found.message)
        for found in violations("host", value)
    ]
    if not issues and value["name"] != name:
        message = f"found '{value['name']}', expected '{name}' as the file is called. Rename one of them."
        issues = [Issue(place=Place(file=file), path="$.name", message=message)]
    if issues:
        raise InvalidInputError(issues)
    return Host(
        **{
            **value,
            "as_of": date.fromisoformat(value["as_of"]),
            "limits": HostLimits(**value["limits"]),
            "url_variables": tuple(value.get("url_variables", ())),
            "restates": tuple(value.get("restates", ())),
            "options": tuple(_option(item) for item in value.get("options", ())),
            "models": tuple(_model(item) for item in value.get("models", ())),
            "notices": tuple(Notice(**_with_dates(item)) for item in value.get("notices", [])),
            "origin": origin,
            "fingerprint": sha256_of(value)[:FINGERPRINT_CHARACTERS],
        }
    )


def _model(value: dict[str, Any]) -> HostModel:
    lists = {name: tuple(value.get(name, ())) for name in ("methods", "without_options")}
    return HostModel(**{**_with_dates(value), **lists})


def _option(value: dict[str, Any]) -> HostOption:
    return HostOption(**{**value, "values": tuple(value.get("values", ()))})


def _unusable(file: str, message: str) -> InvalidInputError:
    return InvalidInputError([Issue(place=Place(file=file), message=message)])


def _plain(value: Any) -> Any:
    """TOML's values as JSON has them; what JSON has not becomes text, which the schema then refuses."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | bool | int | float) else value.isoformat()


def _with_dates(value: dict[str, Any]) -> dict[str, Any]:
    return {key: date.fromisoformat(item) if key in DATES else item for key, item in value.items()}
