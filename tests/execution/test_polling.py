"""A host in trouble is asked less and less often, but not never."""

from runner.execution.polling import pause_s, poll_s


def test_pauses_double_up_to_a_bound() -> None:
    assert [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 160.0, 160.0] == [pause_s(5.0, n) for n in range(8)]


def test_this_machine_is_asked_more_often() -> None:
    assert (0.5, 5.0) == (poll_s(is_local=True), poll_s(is_local=False))
