"""Host entries: what describes a provider, as dated data."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from runner.errors import RunnerError
from runner.hints import did_you_mean

SHIPPED = ("local", "openai")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostModel:
    """A base model a host trains; prices in US dollars per million training tokens, None where unknown.

    `tokenizer` is a tokenizer file inside this package and `chat_format` how a message is written for it.
    """

    name: str
    max_example_tokens: int | None = None
    tokenizer: str | None = None
    chat_format: str = ""
    training_usd_per_million_tokens: float | None = None
    price_as_of: date | None = None
    price_source: str = ""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A provider; `key_variable` names the environment variable of its key, `base_url` is empty for local."""

    name: str
    as_of: date
    limits: HostLimits
    base_url: str = ""
    key_variable: str = ""
    paid: bool = True
    keeps_metadata: bool = False
    sends_organization: bool = False
    models: tuple[HostModel, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether this is the embedded service, whose models lie on this machine."""
        return self.name == "local"

    def model(self, name: str) -> HostModel | None:
        """The entry of a base model, None where the host has none for it."""
        return next((model for model in self.models if model.name == name), None)


def find_host(name: str, user_folder: Path | None = None) -> Host:
    """The host entry of a name: the user's own `<name>.toml` if there is one, else the shipped one.

    Raises RunnerError for an unknown name or an entry that cannot be used.
    """
    if name not in host_names(user_folder):
        near = did_you_mean(name, host_names(user_folder))
        raise RunnerError(f"found no provider '{name}'. {near}")
    own = user_folder / f"{name}.toml" if user_folder else None
    if own is not None and own.is_file():
        return _parse_host(own.read_text(encoding="utf-8"), str(own))
    text = (resources.files("runner.providers.hosts") / f"{name}.toml").read_text(encoding="utf-8")
    return _parse_host(text, f"{name}.toml")


def host_names(user_folder: Path | None = None) -> list[str]:
    """The names of all host entries, sorted."""
    own = [path.stem for path in user_folder.glob("*.toml")] if user_folder else []
    return sorted({*SHIPPED, *own})


def _parse_host(text: str, file: str) -> Host:
    try:
        entry = tomllib.loads(text)
        return Host(
            **{
                **entry,
                "limits": HostLimits(**entry["limits"]),
                "models": _items(HostModel, entry.get("models", [])),
                "notices": _items(Notice, entry.get("notices", [])),
            }
        )
    except (tomllib.TOMLDecodeError, TypeError, KeyError) as error:
        raise RunnerError(
            f"{file}: not a usable host entry: {error}. Compare it with the entries in the documentation."
        ) from error


def _items(kind: Any, entries: Sequence[dict[str, Any]]) -> tuple[Any, ...]:
    return tuple(kind(**entry) for entry in entries)
