"""What a page says of news from elsewhere."""

import pytest

from runner.local.dashboard.known import KnownJob, News
from runner.local.dashboard.views import hosted_view

JOB = KnownJob(id="ftjob-1", provider="openai", status="running")
ASKED = 1_795_000_000.0


@pytest.mark.parametrize(
    ("later_s", "said"),
    [
        (12, "asked 12 s ago"),
        (160, "asked 2 min 40 s ago"),
        (301, "as of 2026-11-18 11:06:40 UTC; `finetune dashboard --follow` asks again"),
    ],
)
def test_a_page_that_nobody_keeps_up_to_date_says_so(later_s: int, said: str) -> None:
    assert said == hosted_view(JOB, News(asked_at=ASKED), ASKED + later_s)["asked"]
