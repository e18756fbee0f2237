"""How far a build is, on a terminal and elsewhere."""

import io

import pytest

from runner.report.build_progress import BuildProgress


class Terminal(io.StringIO):
    """A terminal that keeps what it is sent."""

    def isatty(self) -> bool:
        """Yes."""
        return True


class Seconds:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def watched(stream: io.StringIO, total_bytes: int | None, ends_s: float) -> str:
    """What is shown of a build that does 1,000 records of 1 MB in all each second."""
    seconds = Seconds()
    progress = BuildProgress(stream, seconds)
    progress.begin(total_bytes)
    while seconds.now < ends_s:
        seconds.now += 1
        progress.advance(1_000, 1_000_000)
    progress.end()
    return stream.getvalue()


def test_a_short_build_is_silent() -> None:
    assert ("", "") == (watched(io.StringIO(), 5_000_000, 1), watched(Terminal(), 5_000_000, 1))


def test_off_a_terminal_there_is_a_line_now_and_then() -> None:
    assert (
        "building: 2,000 records, 1,000 records/s, 2 of 4,000 MB, 1:06:38 left\n"
        "building: 17,000 records, 1,000 records/s, 17 of 4,000 MB, 1:06:23 left\n"
    ) == watched(io.StringIO(), 4_000_000_000, 20)


@pytest.mark.parametrize("total", [None, 0])
def test_the_end_of_packed_sources_is_not_guessed(total: int | None) -> None:
    assert "building: 2,000 records, 1,000 records/s, 2 MB\n" == watched(io.StringIO(), total, 3)


def test_bytes_that_are_not_known_are_not_told() -> None:
    stream, seconds = io.StringIO(), Seconds()
    progress = BuildProgress(stream, seconds)
    progress.begin(4_000_000_000)
    seconds.now = 10
    progress.advance(5_000, 0)

    assert "building: 5,000 records, 500 records/s\n" == stream.getvalue()


def test_other_work_is_called_what_it_is() -> None:
    stream, seconds = io.StringIO(), Seconds()
    progress = BuildProgress(stream, seconds)
    progress.begin(4_000_000, "counting tokens")
    seconds.now = 4
    progress.advance(1_000, 1_000_000)

    assert "counting tokens: 1,000 records, 250 records/s, 1 of 4 MB, 0:12 left\n" == stream.getvalue()


def test_a_second_build_counts_from_nothing() -> None:
    stream, seconds = io.StringIO(), Seconds()
    progress = BuildProgress(stream, seconds)
    progress.begin(1_000_000)
    progress.advance(1_000, 1_000_000)
    progress.begin(None)
    seconds.now = 4
    progress.advance(8, 0)

    assert "building: 8 records, 2 records/s\n" == stream.getvalue()


def test_a_terminal_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    shown = watched(Terminal(), 4_000_000, 3)

    assert "3,000 records, 1,000 records/s, 3 of 4 MB, 0:01 left" in shown
    assert shown.lstrip("\x1b[?25l").startswith("building ")


def test_a_reader_that_has_gone_ends_no_build() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    assert "" == watched(Gone(), None, 20)
