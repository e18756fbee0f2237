"""How often a host is asked about its jobs, and how much less often one that does not answer."""

HOSTED_POLL_S = 5.0
LOCAL_POLL_S = 0.5
MAX_DOUBLINGS = 5


def poll_s(*, is_local: bool) -> float:
    """Seconds between two looks at a job."""
    return LOCAL_POLL_S if is_local else HOSTED_POLL_S


def pause_s(interval_s: float, n_failures: int) -> float:
    """Seconds until the next look: twice as many after each failure in a row, at most 32 times as many."""
    return interval_s * 2.0 ** min(n_failures, MAX_DOUBLINGS)
