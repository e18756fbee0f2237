"""Opens the provider that a host entry describes."""

import re
from collections.abc import Mapping
from pathlib import Path

from runner.display import one_line
from runner.errors import ProviderError
from runner.providers.base import Provider
from runner.providers.hosts import Host
from runner.providers.permission import HostPermission

# A value from the environment must not lead a key to another host.
PART_OF_A_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")


def open_provider(
    host: Host,
    state: Path,
    environment: Mapping[str, str],
    *,
    allow_network: bool = False,
    permission: HostPermission | None = None,
) -> Provider:
    """Connect to a host; the local service is started when it is not running.

    The key comes from the one environment variable that the host entry names. Raises ProviderError when it is
    not set, HostNotAllowedError for an entry of the project without `permission`.
    """
    from runner.providers.openai_client import connect

    if host.is_local:
        from runner.providers.local_service import ensure_service

        service = ensure_service(state, allow_network=allow_network)
        return connect(host.name, service.base_url, service.token)
    (permission or HostPermission()).refuse_other(host)
    key = environment.get(host.key_variable, "")
    if not key:
        raise ProviderError(
            f"{host.name} needs a key: the environment variable {host.key_variable} is not set. "
            "Set it, or train on this machine, with `provider: local`."
        )
    if not all("!" <= character <= "~" for character in key):
        raise ProviderError(
            f"the key in {host.key_variable} has a space, a line end or a letter that no key has. "
            "Copy it again."
        )
    return connect(
        host.name,
        _base_url(host, environment),
        key,
        send_organization=host.sends_organization,
        closing=_closing(host),
    )


def _base_url(host: Host, environment: Mapping[str, str]) -> str:
    """The host's URL with the account or region that the operator named in the environment."""
    values = {name: environment.get(name, "") for name in host.url_variables}
    for name, value in values.items():
        if not PART_OF_A_HOST.fullmatch(value):
            found = f"found '{one_line(value)}'" if value else "it is not set"
            raise ProviderError(
                f"{host.name} needs {name} for its address {host.base_url}: {found}, expected letters, "
                "digits and hyphens. Set the environment variable."
            )
    url = host.base_url
    for name, value in values.items():
        url = url.replace(f"{{{name}}}", value)
    return url


def _closing(host: Host) -> str:
    """Since when a host starts no more jobs for some, and where else a recipe can be trained."""
    if not host.notices:
        return ""
    dates = "; ".join(f"{notice.text} from {notice.on}" for notice in host.notices)
    return (
        f"{host.name} is known for: {dates}. If that is the reason, train elsewhere: with `provider: local` "
        "on this machine, or under the profile that `finetune port RECIPE --to HOST` writes."
    )
