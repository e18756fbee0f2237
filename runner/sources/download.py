"""Download one file over HTTP from a checked address, hashed as it comes and kept only if it is the "
"right one."""

import hashlib
import http.client
import os
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, urljoin, urlsplit

import runner
from runner.canonical import sync_directory
from runner.display import one_line, shown
from runner.sources.addresses import Resolve, is_public, port_of, public_addresses, resolve, url_problem
from runner.sources.base import unusable

CHUNK_BYTES = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How hosts are found and how long a download may take; tests put their own in its place."""

    resolve: Resolve = resolve
    is_allowed: Callable[[str], bool] = is_public
    monotonic: Callable[[], float] = time.monotonic
    timeout_s: float = 30.0
    # A server that sends a byte now and then would keep a build waiting for ever.
    patience_s: float = 60.0
    min_bytes_per_s: float = 10_000.0
    max_bytes: int = 16 << 30


def download(url: str, sha256: str, target: Path, network: Network | None = None) -> None:
    """Fetch a URL into `target`. Raises InvalidInputError; then nothing is left behind.

    The connection goes to an address that was checked, not to the name again. Redirects are followed on the
    same host alone. Proxies and credentials of the environment are not used.
    """
    network = network or Network()
    with _answer(url, network) as response:
        announced = response.getheader("Content-Length")
        length = int(announced) if announced is not None and announced.isdigit() else None
        if length is not None and length > network.max_bytes:
            raise unusable(_shown(url), _too_large(length, network))
        keep(response, url, sha256, target, network, length)


def keep(  # noqa: PLR0913 - what comes, what it has to be, where it goes, and within which bounds
    stream: BinaryIO | http.client.HTTPResponse,
    url: str,
    sha256: str,
    target: Path,
    network: Network,
    length: int | None = None,
) -> None:
    """Write a stream to `target` in one step, if it is whole and has the hash. Raises InvalidInputError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".downloading.")
    try:
        with os.fdopen(handle, "wb") as out:
            found, n_bytes = _copy(stream, out, url, network)
            out.flush()
            os.fchmod(out.fileno(), 0o644)
            os.fsync(out.fileno())
        if length is not None and n_bytes < length:
            raise unusable(
                _shown(url), f"found {n_bytes} bytes, expected {length} as the server announced. Try again."
            )
        if found != sha256:
            raise unusable(
                _shown(url),
                f"found content with the sha256 {found}, expected {sha256}. If the new content is meant, "
                "review it and change `sha256`.",
            )
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
    sync_directory(target.parent)


def _copy(
    stream: BinaryIO | http.client.HTTPResponse, out: BinaryIO, url: str, network: Network
) -> tuple[str, int]:
    """Hash and number of the bytes."""
    digest, n_bytes, start = hashlib.sha256(), 0, network.monotonic()
    while chunk := _read(stream, url, network):
        n_bytes += len(chunk)
        if n_bytes > network.max_bytes:
            raise unusable(_shown(url), _too_large(n_bytes, network))
        elapsed_s = network.monotonic() - start
        if elapsed_s > network.patience_s and n_bytes < elapsed_s * network.min_bytes_per_s:
            raise unusable(
                _shown(url),
                f"found {n_bytes} bytes after {elapsed_s:.0f} s, expected at least "
                f"{network.min_bytes_per_s:.0f} a second. Try again later, or download the file by hand.",
            )
        digest.update(chunk)
        out.write(chunk)
    return digest.hexdigest(), n_bytes


def _read(stream: BinaryIO | http.client.HTTPResponse, url: str, network: Network) -> bytes:
    # Whatever has come, instead of waiting for a whole chunk: a slow server shows at once.
    read = stream.read1 if isinstance(stream, http.client.HTTPResponse) else stream.read
    try:
        return read(CHUNK_BYTES)
    except TimeoutError:
        raise unusable(_shown(url), _silent(network)) from None
    except http.client.HTTPException as error:
        reason = one_line(str(error).strip() or type(error).__name__, limit=120)
        raise unusable(
            _shown(url), f"found an answer that breaks off ({reason}), expected all of it. Try again."
        ) from None
    except OSError as error:
        raise unusable(_shown(url), _unreachable(error)) from None


@contextmanager
def _answer(url: str, network: Network) -> Iterator[http.client.HTTPResponse]:
    """The answer to a GET with status 200, after redirects on the same host."""
    stated = url
    for _ in range(_MAX_REDIRECTS + 1):
        with _get(url, network) as response:
            if response.status in _REDIRECTS:
                url = _redirected(url, response.getheader("Location") or "")
                continue
            if response.status != http.client.OK:
                status = f"{response.status} {one_line(response.reason, limit=60)}".strip()
                raise unusable(
                    _shown(url), f"found the answer {status}, expected the file. Correct the address."
                )
            yield response
            return
    raise unusable(_shown(stated), "found redirects without end, expected the file. Correct the address.")


@contextmanager
def _get(url: str, network: Network) -> Iterator[http.client.HTTPResponse]:
    parts = urlsplit(url)
    try:
        addresses = public_addresses(parts, network.resolve, network.is_allowed)
        connection = _connect(parts, addresses, network)
    except ValueError as error:
        raise unusable(_shown(url), str(error)) from None
    except OSError as error:
        raise unusable(_shown(url), _unreachable(error)) from None
    target = parts.path or "/"
    target = f"{target}?{parts.query}" if parts.query else target
    try:
        headers = {"User-Agent": f"finetune-runner/{runner.__version__}", "Accept-Encoding": "identity"}
        connection.request("GET", target, headers=headers)
        with closing(connection.getresponse()) as response:
            yield response
    except TimeoutError:
        raise unusable(_shown(url), _silent(network)) from None
    except http.client.HTTPException as error:
        reason = one_line(str(error).strip() or type(error).__name__, limit=120)
        raise unusable(
            _shown(url), f"found an answer that is no HTTP ({reason}), expected one. Correct the address."
        ) from None
    except OSError as error:
        raise unusable(_shown(url), _unreachable(error)) from None
    finally:
        connection.close()


def _connect(
    parts: SplitResult, addresses: list[tuple[str, int]], network: Network
) -> http.client.HTTPConnection:
    """Connect to the first address that answers. Raises OSError of the last one."""
    host, port = parts.hostname or "", port_of(parts)
    failure: OSError = OSError("no address")
    for address in addresses:
        try:
            plain = socket.create_connection(address, timeout=network.timeout_s)
        except OSError as error:
            failure = error
            continue
        connection = http.client.HTTPConnection(host, port, timeout=network.timeout_s)
        connection.sock = plain
        if parts.scheme == "https":
            try:
                # The certificate has to be the name's, whatever address it was found at.
                connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
            except OSError as error:
                plain.close()
                failure = error
                continue
        return connection
    raise failure


def _redirected(url: str, location: str) -> str:
    target = urljoin(url, location)
    old, new = urlsplit(url), urlsplit(target)
    if url_problem(target) or (old.scheme, old.netloc) != (new.scheme, new.netloc):
        raise unusable(
            _shown(url),
            f"found a redirect to {shown(target, limit=200)}, expected the file itself. "
            "If you trust that address, write it in the recipe.",
        )
    return target


def _silent(network: Network) -> str:
    return f"found no answer for {network.timeout_s:g} s, expected the file. Try again later."


def _unreachable(error: OSError) -> str:
    reason = one_line(error.strerror or str(error), limit=120)
    return f"found no way to the file ({reason}), expected it. Check the address and the network."


def _too_large(n_bytes: int, network: Network) -> str:
    return (
        f"found {n_bytes} bytes or more, expected at most {network.max_bytes}. "
        "Download the file by hand and use `path`."
    )


def _shown(url: str) -> str:
    return one_line(url, limit=200)
