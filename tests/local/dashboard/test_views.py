"""What a page says of news from elsewhere."""

from dataclasses import replace

import pytest

from runner.local.dashboard.known import KnownJob, News
from runner.local.dashboard.views import hosted_view

JOB = KnownJob(id="ftjob-1", provider="openai", status="running")
ASKED = 1_795_000_000.0
PLANNED = replace(JOB, price="$2.00", arithmetic="planned")


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


def test_a_job_that_has_ended_need_not_be_asked_about_again() -> None:
    news = News(asked_at=ASKED, status="succeeded", fine_tuned_model="ft:1")
    view = hosted_view(JOB, news, ASKED + 301)

    assert "as of 2026-11-18 11:06:40 UTC" == view["asked"]
    # The service here has no key of its host, and could not ask the model.
    assert ("ft:1", False) == (view["result"], view["can_chat"])


@pytest.mark.parametrize(
    ("job", "news", "shown"),
    [
        (PLANNED, News(status="running"), ("Price, planned", "$2.00")),
        (PLANNED, News(status="succeeded"), ("Price, planned", "$2.00")),
        (PLANNED, News(status="running", price="$1.50", arithmetic="trained"), ("Price", "$1.50")),
        (replace(PLANNED, trained_tokens=5), News(), ("Price", "$2.00")),
        (PLANNED, News(status="cancelled"), ("", "")),
        (PLANNED, News(status="failed", price="$0.50", arithmetic="trained"), ("Price", "$0.50")),
    ],
)
def test_a_price_says_whether_it_is_of_the_plan(job: KnownJob, news: News, shown: tuple[str, str]) -> None:
    """A job that ended without a model trained what nobody told: it has no price."""
    view = hosted_view(job, news, ASKED)

    assert shown == (view["price_title"], view["price"])
