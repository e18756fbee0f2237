"""Which host entries of a project may get a key: those that the operator allowed, as they are now."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.errors import RunnerError
from runner.providers.hosts import Host

ALLOWED_FILE = "allowed-hosts.toml"


class HostNotAllowedError(RunnerError):
    """An entry that came with the project would get a key, and nobody allowed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPermission:
    """What the operator allows: hosts `named` on the command line, and those in a file of the user's own.

    A name is `NAME` or `NAME@FINGERPRINT`. Unattended, nobody has just read the entry, so that only a name
    with a fingerprint counts: a pull request may change the entry, but not what it was allowed for.
    """

    named: tuple[str, ...] = ()
    file: Path | None = None
    unattended: bool = True

    def refuse_other(self, host: Host) -> None:
        """Raise HostNotAllowedError for an entry of the project that may not get a key."""
        if not host.origin or self._is_named(host) or host.fingerprint in self._listed():
            return
        bound = f"{host.name}@{host.fingerprint}"
        option = f"--allow-host {bound if self.unattended else host.name}"
        only_name = host.name in self.named and self.unattended
        why = " Unattended (CI), the name alone does not allow it." if only_name else ""
        raise HostNotAllowedError(
            f"{host.origin} came with this project and would send the key in {host.key_variable} to "
            f"{host.base_url}; such an entry gets no key before you allow it.{why} Nothing was sent. If you "
            f"trust that address, allow it for one command with {option}, or until the entry changes with "
            f'this line in {self.file or ALLOWED_FILE}: "{bound}" = "{host.base_url}"'
        )

    def _is_named(self, host: Host) -> bool:
        names = {f"{host.name}@{host.fingerprint}"} | (set() if self.unattended else {host.name})
        return not names.isdisjoint(self.named)

    def _listed(self) -> set[str]:
        """The fingerprints in the user's file. Raises RunnerError for one that cannot be read."""
        if self.file is None or not self.file.is_file():
            return set()
        import tomllib

        try:
            allowed: Mapping[str, object] = tomllib.loads(self.file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RunnerError(f"{self.file}: not TOML: {error}. Repair it; nothing was sent.") from error
        return {name.rpartition("@")[2] for name in allowed}
