"""Opens the provider that a host entry describes."""

from collections.abc import Mapping
from pathlib import Path

from runner.errors import ProviderError
from runner.providers.base import Provider
from runner.providers.hosts import Host


def open_provider(
    host: Host, state: Path, environment: Mapping[str, str], *, allow_network: bool = False
) -> Provider:
    """Connect to a host; the local service is started when it is not running.

    The key comes from the one environment variable that the host entry names. Raises ProviderError when it is
    not set.
    """
    from runner.providers.openai_compatible import connect

    if host.is_local:
        from runner.providers.local_service import ensure_service

        service = ensure_service(state, allow_network=allow_network)
        return connect(host.name, service.base_url, service.token)
    key = environment.get(host.key_variable, "")
    if not key:
        raise ProviderError(
            f"{host.name} needs a key: the environment variable {host.key_variable} is not set. "
            "Set it, or run without `--profile` to train on this machine."
        )
    return connect(host.name, host.base_url, key, send_organization=host.sends_organization)
