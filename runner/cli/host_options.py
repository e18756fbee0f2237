"""The option by which a person lets a host entry of the project get its key."""

import os
from pathlib import Path

import click

from runner.providers.permission import ALLOWED_FILE, HostPermission

_ALLOWED = "runner.hosts_allowed"


def _remember(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> None:
    context.meta[_ALLOWED] = value


allow_host_option = click.option(
    "--allow-host",
    "hosts_allowed",
    multiple=True,
    metavar="NAME[@FINGERPRINT]",
    expose_value=False,
    callback=_remember,
    help="Let a host entry that came with the project get its key, for this command; repeatable.",
)


def user_hosts() -> Path:
    """The folder of the user's own host entries."""
    # The XDG specification says to ignore a relative folder; here it would be the project's.
    named = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    base = named if named.is_absolute() else Path.home() / ".config"
    return base / "finetune" / "hosts"


def hosts_allowed() -> HostPermission:
    """Which entries of a project the user's own file and the command that runs allow."""
    context = click.get_current_context(silent=True)
    return HostPermission(
        named=context.meta.get(_ALLOWED, ()) if context else (),
        file=user_hosts().with_name(ALLOWED_FILE),
        unattended=bool(os.environ.get("CI")),
    )
