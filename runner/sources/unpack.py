"""Open the bytes of a source file, unpacked where it is compressed, within bounds that no file can raise."""

import bz2
import gzip
import io
import lzma
import os
import stat
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, NoReturn

from runner.display import one_line, shown
from runner.errors import InvalidInputError
from runner.hints import listed, nearest
from runner.project import Grants
from runner.sources.base import unusable
from runner.sources.extras import require

if TYPE_CHECKING:
    # Read where a file is packed; commands that read none start sooner.
    import zipfile

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".xz": "xz", ".bz2": "bzip2", ".zip": "zip"}

MAX_UNPACKED_BYTES = 8 << 30
MAX_RATIO = 200
# Small files of records that repeat themselves may well be packed more than 200 times.
ALWAYS_UNPACKED_BYTES = 64 << 20
BUFFER_BYTES = 1 << 16

ALLOW_UNPACKED = "If the file is meant to be so large, allow it with --max-unpacked."
_ENCRYPTED = 0x1
# What zstd says of a frame whose window is above its own bound, which no data needs.
_LARGE_WINDOW = "requires too much memory"
# What an archive of macOS holds beside the files.
_NOT_MEMBERS = ("__MACOSX/",)
_DAMAGED = (EOFError, zlib.error, NotImplementedError)


def compression_of(path: Path) -> str:
    """How a file is packed, by its suffix; empty for one that is not."""
    return COMPRESSIONS.get(path.suffix.lower(), "")


def open_bytes(path: Path, file: str, *, member: str | None = None, grants: Grants) -> io.BufferedReader:
    """Open a file as it is, or unpacked; `member` names the one to read in a zip archive.

    Reading raises InvalidInputError for damage, for more bytes than the bound, and for a file that grows
    meanwhile. Raises OSError as `open` does.
    """
    compression = compression_of(path)
    stream = path.open("rb")
    try:
        size = os.fstat(stream.fileno()).st_size
        if not compression:
            return io.BufferedReader(_Whole(stream, file, size), BUFFER_BYTES)
        if compression == "zip":
            info = _find_member(_archive(stream, file), member, file)
            size = info.compress_size
        unpacked = _Unpacked(stream, file, size, grants, *_unpacked(stream, compression, member, file))
        return io.BufferedReader(unpacked, BUFFER_BYTES)
    except BaseException:
        stream.close()
        raise


def inner_name(path: Path, file: str, member: str | None) -> str:
    """The name of what a packed file holds, which tells its format. Raises InvalidInputError, OSError."""
    compression = compression_of(path)
    if compression != "zip":
        return path.stem if compression else path.name
    with path.open("rb") as stream:
        return PurePosixPath(_find_member(_archive(stream, file), member, file).filename).name


def member_sizes(path: Path, file: str) -> dict[str, int]:
    """The files of a zip archive with their sizes unpacked. Raises InvalidInputError, OSError."""
    with path.open("rb") as stream:
        return {info.filename: info.file_size for info in _members(_archive(stream, file))}


def refuse_zip_bomb(path: Path, file: str, grants: Grants) -> None:
    """Raise InvalidInputError for a zip archive, such as an Excel file, whose members are far too large."""
    with path.open("rb") as stream:
        archive = _archive(stream, file)
        packed = os.fstat(stream.fileno()).st_size
        # The reader stops each member at the size that stands here, so a lie gains nothing.
        if sum(info.file_size for info in archive.infolist()) > unpacked_limit(packed, grants):
            raise _too_large(file, packed, grants)


def refuse_bomb(path: Path, file: str, member: str | None, grants: Grants) -> None:
    """Raise InvalidInputError for a packed file whose start already holds far too much, before it is read.

    What comes later is stopped by the same bound where it is read. Raises OSError as `open` does.
    """
    if not compression_of(path) or grants.max_unpacked_bytes is not None:
        return
    with path.open("rb") as packed:
        before, left = 0, ALWAYS_UNPACKED_BYTES + 1
        if compression_of(path) == "zip":
            before = _find_member(_archive(packed, file), member, file).header_offset
        stream, damage = _unpacked(packed, compression_of(path), member, file)
        with suppress(*_DAMAGED, damage, OSError):
            while left > 0 and (piece := stream.read(min(left, BUFFER_BYTES))):
                left -= len(piece)
        first = ALWAYS_UNPACKED_BYTES // MAX_RATIO
        if left == 0 and packed.tell() - before < first:
            raise unusable(
                file,
                f"found more than {ALWAYS_UNPACKED_BYTES} bytes unpacked from the first {first}, "
                f"expected no more ({MAX_RATIO} times the packed size). {ALLOW_UNPACKED}",
            )


def unpacked_limit(packed_bytes: int, grants: Grants) -> int:
    """How many bytes may come out of so many packed ones."""
    if grants.max_unpacked_bytes is not None:
        return grants.max_unpacked_bytes
    return min(MAX_UNPACKED_BYTES, max(ALWAYS_UNPACKED_BYTES, MAX_RATIO * packed_bytes))


class _Whole(io.RawIOBase):
    """The bytes that a file had when it was opened, and an error where it has more or fewer at the end."""

    def __init__(self, stream: IO[bytes], file: str, size: int) -> None:
        self._stream = stream
        self._file = file
        self._size = size
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._left)
        piece = self._stream.read(wanted) if wanted else b""
        buffer[: len(piece)] = piece
        self._left -= len(piece)
        if not piece:
            self._check_end()
        return len(piece)

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _check_end(self) -> None:
        status = os.fstat(self._stream.fileno())
        if stat.S_ISREG(status.st_mode) and status.st_size > self._size:
            self._refuse("grows", status.st_size)
        if self._left:
            self._refuse("shrinks", status.st_size)

    def _refuse(self, what: str, size: int) -> NoReturn:
        raise unusable(
            self._file,
            f"found a file that {what} while it is read ({self._size} bytes, then {size}), "
            "expected one that is complete. Wait until it is written, or copy it first.",
        )


class _Unpacked(io.RawIOBase):
    """What comes out of a packed file, as long as it is not too much."""

    def __init__(  # noqa: PLR0913 - two streams, and what to say and do about them
        self,
        packed: IO[bytes],
        file: str,
        packed_bytes: int,
        grants: Grants,
        unpacked: IO[bytes],
        damage: type[Exception],
    ) -> None:
        self._packed = packed
        self._unpacked = unpacked
        self._damage = (*_DAMAGED, damage)
        self._file = file
        self._packed_bytes = packed_bytes
        self._grants = grants
        self._left = unpacked_limit(packed_bytes, grants)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._unpacked.read(len(buffer))
        except self._damage as error:
            raise self._damaged(error) from None
        except OSError as error:
            # The modules say what is wrong with a stream by an OSError without a number.
            if error.errno is not None:
                raise
            raise self._damaged(error) from None
        self._left -= len(piece)
        if self._left < 0:
            raise _too_large(self._file, self._packed_bytes, self._grants)
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._unpacked.close()
        self._packed.close()
        super().close()

    def _damaged(self, error: Exception) -> InvalidInputError:
        if isinstance(error, EOFError):
            return unusable(
                self._file,
                "found a packed file that ends too early, expected a whole one. Copy or download it again.",
            )
        reason = one_line(str(error), limit=120)
        if _LARGE_WINDOW in reason:
            return unusable(
                self._file,
                "found a file packed with a window of more than 128 MiB, expected a smaller one. "
                "Pack it again without `--long` and `--ultra`.",
            )
        return unusable(
            self._file,
            f"found a packed file that is damaged ({reason}), expected a sound one. "
            "Copy or download it again.",
        )


def _unpacked(
    stream: IO[bytes], compression: str, member: str | None, file: str
) -> tuple[Any, type[Exception]]:
    """A stream of what is packed, and the error that its module has for damage."""
    if compression == "gzip":
        return gzip.GzipFile(fileobj=stream), gzip.BadGzipFile
    if compression == "bzip2":
        return bz2.BZ2File(stream), EOFError
    if compression == "xz":
        return lzma.LZMAFile(stream), lzma.LZMAError
    if compression == "zip":
        import zipfile

        archive = _archive(stream, file)
        return archive.open(_find_member(archive, member, file)), zipfile.BadZipFile
    zstd = require("compression.zstd", "backports.zstd", file=file)
    return zstd.ZstdFile(stream), zstd.ZstdError


def _archive(stream: IO[bytes], file: str) -> "zipfile.ZipFile":
    import zipfile

    try:
        return zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        reason = one_line(str(error), limit=120)
        raise unusable(
            file,
            f"found a file that is no zip archive ({reason}), expected one. Copy or download it again.",
        ) from None


def _members(archive: "zipfile.ZipFile") -> "list[zipfile.ZipInfo]":
    return [
        info
        for info in archive.infolist()
        if not info.is_dir() and not info.filename.startswith(_NOT_MEMBERS)
    ]


def _find_member(archive: "zipfile.ZipFile", name: str | None, file: str) -> "zipfile.ZipInfo":
    members = _members(archive)
    names = [info.filename for info in members]
    if name is None and len(members) != 1:
        found = f"{len(members)} files ({listed(names)})" if members else "an empty archive"
        advice = "Set `member` to the one to read." if members else "Choose another file."
        raise unusable(file, f"found {found}, expected one. {advice}")
    chosen = next((info for info in members if name in (None, info.filename)), None)
    if chosen is None:
        hint = nearest(name or "", names) or f"The archive has {listed(names)}."
        raise unusable(file, f"`member`: found no {shown(name)}, expected a file of the archive. {hint}")
    _check_member(chosen, file)
    return chosen


def _check_member(info: "zipfile.ZipInfo", file: str) -> None:
    parts = info.filename.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or parts[0].endswith(":"):
        raise unusable(
            file,
            f"found the member {shown(info.filename)}, whose name leads out of the archive, "
            "expected a plain name. Make the archive again.",
        )
    if info.flag_bits & _ENCRYPTED:
        raise unusable(
            file,
            f"found that {shown(info.filename)} is encrypted, expected a file without a password. "
            "Unpack it first.",
        )


def _too_large(file: str, packed_bytes: int, grants: Grants) -> InvalidInputError:
    limit = unpacked_limit(packed_bytes, grants)
    why = {
        grants.max_unpacked_bytes: "--max-unpacked",
        MAX_RATIO * packed_bytes: f"{MAX_RATIO} times the packed size",
    }.get(limit, "the limit")
    return unusable(
        file,
        f"found more than {limit} bytes unpacked from {packed_bytes}, expected no more ({why}). "
        f"{ALLOW_UNPACKED}",
    )
