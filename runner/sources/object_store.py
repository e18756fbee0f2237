"""Download one file from an object store through fsspec, with the operator's own credentials."""

from pathlib import Path
from urllib.parse import urlsplit

from runner.display import one_line
from runner.errors import InvalidInputError
from runner.sources.addresses import OBJECT_STORES
from runner.sources.base import unusable
from runner.sources.download import Network, keep
from runner.sources.extras import is_installed, require


def download_object(url: str, sha256: str, target: Path, network: Network | None = None) -> None:
    """Fetch an object into `target`. Raises InvalidInputError; then nothing is left behind.

    The store's own package finds credentials and endpoint in the environment; a recipe names neither.
    """
    file, scheme = one_line(url, limit=200), urlsplit(url).scheme
    fsspec = require("fsspec", file=file)
    package = OBJECT_STORES[scheme]
    if not is_installed(package) and scheme not in fsspec.registry:
        raise unusable(
            file, f"found no package {package}, which reaches {scheme}://. Install it: pip install {package}"
        )
    try:
        with fsspec.filesystem(scheme).open(url, "rb") as stream:
            keep(stream, url, sha256, target, network or Network())
    except InvalidInputError:
        raise
    except FileNotFoundError:
        raise unusable(file, "found no such object, expected one. Correct the address.") from None
    except Exception as error:  # noqa: BLE001 - every store's package raises errors of its own
        reason = one_line(str(error), limit=160) or type(error).__name__
        raise unusable(
            file,
            f"found no way to the object ({reason}), expected it. "
            "Check the address, the network and your credentials.",
        ) from None
