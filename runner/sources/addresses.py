"""Which addresses a source may be downloaded from: public ones, as they stand in the recipe."""

import ipaddress
from collections.abc import Callable, Sequence
from urllib.parse import SplitResult, urlsplit

from runner.display import one_line, shown

WEB = frozenset({"http", "https"})
# Object stores, and the package that fsspec needs for each.
OBJECT_STORES = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs"}
_PORTS = {"http": 80, "https": 443}

Address = tuple[str, int]
Resolve = Callable[[str, int], Sequence[str]]


def url_problem(url: str) -> str:
    """Say what in a URL is not allowed, without any look at the network; empty for nothing."""
    if any(character.isspace() or ord(character) < 0x21 or character == "\\" for character in url):
        return "found a space or control character, expected a URL. Write it as %20 and the like."
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return f"found {shown(url)} ({one_line(str(error), limit=80)}), expected a URL. Correct it."
    schemes = sorted({*WEB, *OBJECT_STORES})
    if parts.scheme not in schemes or not host:
        return f"found {shown(url)}, expected an address that begins with one of {', '.join(schemes)}://."
    if "@" in parts.netloc:
        return "found a user name or password, expected none: recipes hold no secrets. Remove it."
    if parts.fragment:
        return "found a fragment (`#…`), which is not part of a file's address. Remove it."
    if parts.scheme in OBJECT_STORES and ("::" in url or parts.query or port is not None):
        return f"found {shown(url)}, expected {parts.scheme}://BUCKET/KEY and nothing else. Correct it."
    return ""


def port_of(parts: SplitResult) -> int:
    """The port of a URL, stated or the scheme's own."""
    return parts.port or _PORTS[parts.scheme]


def public_addresses(
    parts: SplitResult, resolve: Resolve, is_allowed: Callable[[str], bool]
) -> list[Address]:
    """The addresses of a URL's host, if all are allowed. Raises ValueError with a sentence, OSError.

    One that is not is refused even beside others: whoever answers for the name could give another one next
    time. The connection goes to these addresses, never to the name again.
    """
    host, port = parts.hostname or "", port_of(parts)
    found = resolve(host, port)
    for address in found:
        if not is_allowed(address):
            raise ValueError(
                f"found {shown(host)} at {one_line(address)}, which is not a public address, expected one. "
                "A recipe cannot reach into private networks."
            )
    return [(address, port) for address in found]


def is_public(address: str) -> bool:
    """Whether an IP address is reachable from everywhere: not private, loopback, link-local or special."""
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None or ip in _NAT64:
            # An IPv4 address in another coat.
            return inner is not None and is_public(str(inner))
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a host. Raises OSError."""
    import socket

    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
