"""Packed files: every text format, bounds against bombs, and damage named."""

import bz2
import gzip
import json
import lzma
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from runner.project import Grants
from runner.sources import unpack
from tests.sources.conftest import Read

zstd = pytest.importorskip("backports.zstd", reason="backports.zstd is not installed (extra `zstd`)")

PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd.compress}
TEXTS = {
    "a.json": '[{"a": "가"}]',
    "a.jsonl": '{"a": "가"}\n',
    "a.csv": "a\n가\n",
    "a.tsv": "a\n가\n",
    "a.yaml": "- a: 가\n",
}
AGAIN = "Copy or download it again."


def write_zip(path: Path, **members: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)


def zip_of(read: Read, names: dict[str, str]) -> dict[str, Any]:
    write_zip(read.folder / "a.zip", **names)
    return {"path": "a.zip"}


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("name", TEXTS)
def test_every_text_format_may_be_packed(name: str, suffix: str, read: Read) -> None:
    packed = PACK[suffix](TEXTS[name].encode())
    (read.folder / f"{name}{suffix}").write_bytes(packed)

    assert [{"a": "가"}] == read.records({"path": f"{name}{suffix}"})


@pytest.mark.parametrize("name", TEXTS)
def test_a_zip_archive_tells_the_format_by_its_member(name: str, read: Read) -> None:
    assert [{"a": "가"}] == read.records(zip_of(read, {name: TEXTS[name]}))


@pytest.mark.parametrize("suffix", PACK)
def test_files_packed_in_parts_are_read_to_the_end(suffix: str, read: Read) -> None:
    parts = [PACK[suffix](line) for line in (b'{"a": 1}\n', b'{"a": 2}\n')]
    (read.folder / f"a.jsonl{suffix}").write_bytes(b"".join(parts))

    assert [{"a": 1}, {"a": 2}] == read.records({"path": f"a.jsonl{suffix}"})


@pytest.mark.parametrize("suffix", PACK)
def test_a_packed_file_that_ends_early_is_named(suffix: str, read: Read) -> None:
    lines = "".join(json.dumps({"a": f"{n * 7919}"}) + "\n" for n in range(20_000))
    (read.folder / f"a.jsonl{suffix}").write_bytes(PACK[suffix](lines.encode())[:-2_000])

    assert (
        f"a.jsonl{suffix}: found a packed file that ends too early, expected a whole one. {AGAIN}"
        == read.problems({"path": f"a.jsonl{suffix}"})[-1]
    )


@pytest.mark.parametrize("suffix", PACK)
def test_a_file_that_is_not_packed_at_all_is_named(suffix: str, read: Read) -> None:
    (read.folder / f"a.jsonl{suffix}").write_bytes(b'{"a": 1}\n')

    problem = read.problem({"path": f"a.jsonl{suffix}"})

    assert problem.startswith(f"a.jsonl{suffix}: found a packed file that is damaged (")
    assert problem.endswith(f"), expected a sound one. {AGAIN}")


def test_a_window_that_takes_gigabytes_is_refused(read: Read) -> None:
    """A zstd frame names the memory that unpacking takes: here 2 GiB, for nothing."""
    magic, descriptor, window, empty_block = b"\x28\xb5\x2f\xfd", b"\x00", b"\xa8", b"\x01\x00\x00"
    (read.folder / "a.jsonl.zst").write_bytes(magic + descriptor + window + empty_block)

    assert (
        "a.jsonl.zst: found a file packed with a window of more than 128 MiB, expected a smaller one. "
        "Pack it again without `--long` and `--ultra`." == read.problem({"path": "a.jsonl.zst"})
    )


def test_a_dictionary_that_takes_gigabytes_is_named(read: Read) -> None:
    """An xz header that asks for 4 GiB to unpack three bytes."""
    packed = bytearray(lzma.compress(b"{}\n"))
    # The size of the dictionary stands in the block's header, whose last four bytes are its checksum.
    packed[16] = 40
    packed[20:24] = zlib.crc32(packed[12:20]).to_bytes(4, "little")
    (read.folder / "a.jsonl.xz").write_bytes(packed)

    assert [
        "a.jsonl.xz: found data that needs more than 1024 MiB of memory, expected less. "
        "Simplify the template, the paths or the data."
    ] == list(map(str, read.confined({"path": "a.jsonl.xz"})))


@pytest.mark.parametrize("suffix", PACK)
def test_a_bomb_is_stopped(suffix: str, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "ALWAYS_UNPACKED_BYTES", 1 << 10)
    packed = PACK[suffix](b'{"a": "%s"}\n' % (b"a" * 1000) * 20_000)
    (read.folder / f"a.jsonl{suffix}").write_bytes(packed)
    limit = 200 * len(packed)

    assert (
        f"a.jsonl{suffix}: found more than {limit} bytes unpacked from {len(packed)}, expected no "
        "more (200 times the packed size). "
        "If the file is meant to be so large, allow it with --max-unpacked."
        == read.problem({"path": f"a.jsonl{suffix}"})
    )


@pytest.mark.parametrize("suffix", PACK)
def test_a_bomb_is_stopped_before_its_first_record(
    suffix: str, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two gigabytes of small records would take minutes, each of them sound."""
    monkeypatch.setattr(unpack, "ALWAYS_UNPACKED_BYTES", 1 << 24)
    (read.folder / f"a.jsonl{suffix}").write_bytes(PACK[suffix](b"not JSON\n" * 2_000_000))

    assert (
        f"a.jsonl{suffix}: found more than 16777216 bytes unpacked from the first 83886, expected no more "
        "(200 times the packed size). If the file is meant to be so large, allow it with --max-unpacked."
        == read.problem({"path": f"a.jsonl{suffix}"})
    )


def test_the_operator_raises_the_bound(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "ALWAYS_UNPACKED_BYTES", 1 << 10)
    (read.folder / "a.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n' * 100_000))

    read.grants = Grants(max_unpacked_bytes=900_000)
    assert 100_000 == len(read.records({"path": "a.jsonl.gz"}))

    read.grants = Grants(max_unpacked_bytes=899_999)
    assert "found more than 899999 bytes unpacked from" in read.problem({"path": "a.jsonl.gz"})
    assert "expected no more (--max-unpacked)" in read.problem({"path": "a.jsonl.gz"})


def test_a_member_is_chosen_by_name(read: Read) -> None:
    source = zip_of(read, {"d/b.jsonl": '{"a": 2}\n', "a.csv": "a\n1\n", "__MACOSX/._a.csv": "x"})

    assert [{"a": 2}] == read.records({**source, "member": "d/b.jsonl"})
    assert "a.zip: found 2 files ('d/b.jsonl', 'a.csv'), expected one. Set `member` to the one to read." == (
        read.problem(source)
    )
    assert (
        "a.zip: `member`: found no 'b.jsonl', expected a file of the archive. Did you mean 'd/b.jsonl'?"
        == read.problem({**source, "member": "b.jsonl"})
    )


@pytest.mark.parametrize(
    "name", ["../a.jsonl", "/etc/a.jsonl", "a/../../b.jsonl", "..\\a.jsonl", "C:/a.jsonl"]
)
def test_a_member_whose_name_leads_out_is_refused(name: str, read: Read) -> None:
    assert (
        f"a.zip: found the member '{name}', whose name leads out of the archive, expected a plain name. "
        "Make the archive again." == read.problem(zip_of(read, {name: "{}"}))
    )


def test_an_encrypted_member_is_refused(read: Read) -> None:
    source = zip_of(read, {"a.jsonl": "{}\n"})
    content = (read.folder / "a.zip").read_bytes()
    # The flag stands in the local and in the central header.
    marked = content.replace(b"PK\x03\x04\x14\0\0\0", b"PK\x03\x04\x14\0\1\0")
    marked = marked.replace(b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\1\0")
    (read.folder / "a.zip").write_bytes(marked)

    assert (
        "a.zip: found that 'a.jsonl' is encrypted, expected a file without a password. Unpack it first."
        == read.problem(source)
    )


def test_archives_without_a_file_to_read(read: Read) -> None:
    (read.folder / "b.zip").write_bytes(b"no archive")

    assert "a.zip: found an empty archive, expected one. Choose another file." == read.problem(
        zip_of(read, {})
    )
    assert f"b.zip: found a file that is no zip archive (File is not a zip file), expected one. {AGAIN}" == (
        read.problem({"path": "b.zip"})
    )


def test_a_member_that_is_not_what_it_says(read: Read) -> None:
    """The sum of its bytes is wrong."""
    text = "".join(json.dumps({"a": n}) + "\n" for n in range(1_000))
    with zipfile.ZipFile(read.folder / "a.zip", "w") as archive:
        archive.writestr("a.jsonl", text)
    content = (read.folder / "a.zip").read_bytes().replace(b'{"a": 7}', b'{"a": 8}', 1)
    (read.folder / "a.zip").write_bytes(content)

    assert (
        f"a.zip: found a packed file that is damaged (Bad CRC-32 for file 'a.jsonl'), expected a "
        f"sound one. {AGAIN}" == read.problem({"path": "a.zip"})
    )


def test_options_that_do_not_fit(read: Read) -> None:
    (read.folder / "a.jsonl").write_bytes(b"{}\n")
    (read.folder / "a.parquet.gz").write_bytes(b"")
    (read.folder / "a.db").write_bytes(b"")

    assert "a.jsonl: found `member` for a file that is no zip archive. Remove it." == read.problem(
        {"path": "a.jsonl", "member": "x"}
    )
    assert (
        "a.parquet.gz: found a packed file of format parquet, expected it as it is. Unpack it."
        == read.problem({"path": "a.parquet.gz"})
    )
    assert "a.db: found `encoding` for a file of format sqlite, which has none. Remove it." == read.problem(
        {"path": "a.db", "encoding": "cp949"}
    )
    assert "a.zip: found the suffix '.zip'" in read.problem(zip_of(read, {"a.txt": "x"}))


def test_a_wrong_encoding_inside_is_named_by_its_byte(read: Read) -> None:
    (read.folder / "a.csv.gz").write_bytes(gzip.compress("a\n안녕\n".encode("cp949")))

    assert (
        "a.csv.gz:2: found bytes that are not utf-8 text (byte 2 of the file), expected utf-8. "
        "It reads as cp949: set `encoding: cp949` on this source." == read.problem({"path": "a.csv.gz"})
    )
