"""Keys and sessions."""

from runner.local.dashboard.entry import KEY_S, MAX_KEYS, SESSION_S, Entry
from runner.local.dashboard.known import KnownJobs


def test_a_key_opens_once() -> None:
    entry = Entry()
    key = entry.invite(0.0)
    session = entry.admit(key, 1.0)

    assert session is not None
    assert session == entry.session(session.id, 1.0)
    assert None is entry.admit(key, 1.0)
    assert None is entry.admit("another", 1.0)
    assert session.id not in repr(entry)


def test_keys_and_sessions_end() -> None:
    entry = Entry()
    key, late = entry.invite(0.0), entry.invite(0.0)
    session = entry.admit(key, 0.0)

    assert session is not None
    assert None is entry.admit(late, KEY_S + 1)
    assert None is entry.session(session.id, SESSION_S)
    assert None is entry.session(None, 0.0)


def test_unused_keys_do_not_pile_up() -> None:
    entry = Entry()
    first = entry.invite(0.0)
    keys = [entry.invite(0.0) for _ in range(MAX_KEYS)]

    assert None is entry.admit(first, 0.0)
    assert None is not entry.admit(keys[0], 0.0)


def test_what_is_told_of_jobs_is_bounded_text() -> None:
    known = KnownJobs()
    known.take(
        [{"id": "a", "status": "x" * 900, "more": 1}, "no job", {"recipe": "without an ID"}, {"id": 7}]
    )

    assert {"a": 300, "7": 0} == {name: len(job.status) for name, job in known.jobs(0.0).items()}


def test_lockfiles_are_read_now_and_then() -> None:
    read = []
    known = KnownJobs(read=lambda: read.append(1) or [{"id": str(len(read))}])

    assert [["1"], ["1"], ["2"]] == [list(known.jobs(at)) for at in (100.0, 109.0, 110.0)]
