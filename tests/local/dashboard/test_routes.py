"""The pages over HTTP: who is let in, what is shown, what a form may do."""

import re
from typing import Any

import openai
import pytest

from tests.local.dashboard.pages import Visitor, key_path, let_in
from tests.local.fake_worker import SUCCEEDS, WAITS
from tests.local.harness import RunningService, call, finished, upload, wait_for

HOSTED = {
    "id": "ftjob-hosted",
    "recipe": "recipes/<script>alert(1)</script>",
    "run": "openai",
    "provider": "openai",
    "status": "running",
    "model": "gpt-4.1-mini",
}
# The cells behind the curves of a job of four steps.
LOSSES = [
    ["step", "training", "validation"],
    ["1", "1", ""],
    ["2", "0.5", "0.75"],
    ["3", "0.3333", ""],
    ["4", "0.25", "0.75"],
]
ACCURACIES = [["step", "training"], ["1", "0.5"], ["2", "0.5"], ["3", "0.5"], ["4", "0.5"]]


@pytest.fixture(scope="module")
def done(client: openai.OpenAI) -> str:
    """A job that succeeded."""
    file = upload(client)
    metadata = {"finetune_recipe": "faq"}
    job = client.fine_tuning.jobs.create(
        model="tiny-1", training_file=file.id, seed=SUCCEEDS, metadata=metadata
    )
    assert "succeeded" == finished(client, job.id).status
    return str(job.id)


@pytest.fixture
def waiting(client: openai.OpenAI) -> str:
    """A job that goes on until it is told otherwise."""
    job = client.fine_tuning.jobs.create(model="tiny-1", training_file=upload(client).id, seed=WAITS)
    wait_for(lambda: client.fine_tuning.jobs.retrieve(job.id).status == "running")
    return str(job.id)


def test_a_key_is_exchanged_for_a_cookie_that_scripts_and_other_pages_cannot_use(
    service: RunningService,
) -> None:
    path, visitor = key_path(service), Visitor(service)
    status, headers, _ = visitor.ask("GET", path)
    name, value = next(iter(visitor.cookies.items()))

    assert (303, "/", f"finetune-{service.record.port}") == (status, headers["location"], name)
    assert f"{name}={value}; HttpOnly; Path=/; SameSite=strict" == headers["set-cookie"]
    assert 200 == visitor.ask("GET", "/")[0]
    assert 401 == Visitor(service).ask("GET", path)[0]
    assert service.record.token not in visitor.ask("GET", "/")[2]


@pytest.mark.parametrize("path", ["/", "/dashboard/jobs/x", "/dashboard/chat", "/dashboard/jobs/x/cancel"])
def test_without_a_session_nothing_is_shown(service: RunningService, path: str) -> None:
    stranger = Visitor(service, {f"finetune-{service.record.port}": "guessed"})
    status, headers, text = stranger.ask("GET", path)

    assert 401 == status
    assert "This browser was not let in" in text
    assert "<script" not in text
    assert "default-src 'none'" in headers["content-security-policy"]


def test_a_session_opens_no_route_of_the_api_and_makes_no_key(service: RunningService) -> None:
    visitor = let_in(service)

    assert (401, 401) == (visitor.ask("GET", "/v1/models")[0], visitor.ask("POST", "/dashboard/keys", {})[0])


def test_another_host_or_page_is_refused(service: RunningService) -> None:
    visitor = let_in(service)

    assert 403 == visitor.ask("GET", "/", Host="evil.test")[0]
    assert 403 == visitor.ask("GET", "/", Origin="http://evil.test")[0]


def test_every_page_is_kept_to_itself(service: RunningService) -> None:
    _, headers, _ = let_in(service).ask("GET", "/")

    assert {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }.items() <= headers.items()
    for part in ("default-src 'none'", "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'"):
        assert part in headers["content-security-policy"]


def test_jobs_of_this_service_and_of_lockfiles_are_listed(service: RunningService, done: str) -> None:
    locked = {"id": done, "recipe": "recipes/faq", "run": "default", "provider": "local"}
    _, _, text = let_in(service, [HOSTED, locked]).ask("GET", "/")

    assert f'href="/dashboard/jobs/{done}"' in text
    assert 1 == text.count(f'id="job-{done}"')
    assert "recipes/faq" in text
    assert "recipes/&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "gpt-4.1-mini" in text


def test_a_finished_job_has_its_curve_events_checkpoints_and_result_file(
    service: RunningService, client: openai.OpenAI, done: str
) -> None:
    visitor = let_in(service)
    _, _, text = visitor.ask("GET", f"/dashboard/jobs/{done}")
    job = client.fine_tuning.jobs.retrieve(done)
    status, headers, content = visitor.ask("GET", f"/dashboard/jobs/{done}/files/{job.result_files[0]}")

    assert 'aria-label="Loss by step; now: training' in text
    assert str(job.fine_tuned_model) in text
    assert "The job has successfully completed" in text
    assert "<script" not in text
    assert (200, True) == (status, content.startswith("step,train_loss"))
    assert headers["content-disposition"].startswith("attachment")
    assert 404 == visitor.ask("GET", f"/dashboard/jobs/{done}/files/{job.training_file}")[0]
    assert 404 == visitor.ask("GET", "/dashboard/jobs/ftjob-none")[0]
    assert 409 == visitor.ask("GET", f"/dashboard/jobs/{done}/cancel")[0]


def test_each_curve_has_its_numbers_in_a_table(service: RunningService, done: str) -> None:
    _, _, text = let_in(service).ask("GET", f"/dashboard/jobs/{done}")

    tables = dict(re.findall(r'<summary id="(numbers-\w+)">numbers</summary>(.*?)</details>', text, re.S))
    rows = {name: re.findall(r"<tr>(.*?)</tr>", table) for name, table in tables.items()}
    cells = {
        name: [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in found] for name, found in rows.items()
    }
    assert {"numbers-loss": LOSSES, "numbers-token": ACCURACIES} == cells


def test_a_job_is_paused_resumed_and_cancelled_after_a_confirmation(
    service: RunningService, client: openai.OpenAI, waiting: str
) -> None:
    visitor, page = let_in(service), f"/dashboard/jobs/{waiting}"
    statuses = []
    for verb in ("pause", "resume", "cancel"):
        token = visitor.form_token(f"{page}/{verb}")
        status, headers, _ = visitor.ask("POST", f"{page}/{verb}", {"form_token": token})
        assert (303, page) == (status, headers["location"])
        statuses.append(client.fine_tuning.jobs.retrieve(waiting).status)

    assert ["paused", "cancelled"] == [statuses[0], statuses[2]]
    assert statuses[1] in ("queued", "running")


def test_nothing_happens_without_the_token_of_the_form(
    service: RunningService, client: openai.OpenAI, waiting: str
) -> None:
    visitor, other = let_in(service), let_in(service)
    page = f"/dashboard/jobs/{waiting}/cancel"
    stolen = other.form_token(page)

    assert [403, 403, 403] == [
        visitor.ask("POST", page, form)[0] for form in ({}, {"form_token": "x"}, {"form_token": stolen})
    ]
    assert "running" == client.fine_tuning.jobs.retrieve(waiting).status
    assert (
        404
        == visitor.ask("POST", f"/dashboard/jobs/{waiting}/delete", {"form_token": visitor.form_token(page)})[
            0
        ]
    )
    call(service, "POST", f"/v1/fine_tuning/jobs/{waiting}/cancel")


def test_a_finished_model_is_asked_and_the_conversation_stays_in_the_form(
    service: RunningService, client: openai.OpenAI, done: str
) -> None:
    visitor, model = let_in(service), client.fine_tuning.jobs.retrieve(done).fine_tuned_model
    form = {"form_token": visitor.form_token("/dashboard/chat"), "model": str(model)}
    status, _, text = visitor.ask(
        "POST", "/dashboard/chat", {**form, "system": "Be brief.", "question": '<b>"안녕"</b>'}
    )

    assert 200 == status
    assert '<input type="hidden" name="system" value="Be brief.">' in text
    assert '<input type="hidden" name="user" value="&lt;b&gt;&#34;안녕&#34;&lt;/b&gt;">' in text
    assert '<input type="hidden" name="assistant" value="' in text
    assert "<b>" not in text
    _, _, refused = visitor.ask("POST", "/dashboard/chat", {**form, "model": "gpt-x", "question": "Hm?"})
    assert 'role="alert"' in refused
    assert ">Hm?</textarea>" in refused


NEWS: dict[str, Any] = {
    "id": "ftjob-hosted",
    "status": "running",
    "created_at": 1_795_000_000,
    "events": [
        {"created_at": 1_795_000_001, "level": "info", "message": "started <b>", "type": "message"},
        {
            "created_at": 1_795_000_002,
            "level": "info",
            "message": "Step 2/8",
            "type": "metrics",
            "data": {"step": 2, "total_steps": 8, "train_loss": 0.5},
        },
    ],
}


def test_what_a_host_said_of_its_job_has_a_page(service: RunningService) -> None:
    visitor = let_in(service, [HOSTED])
    assert 404 == visitor.ask("GET", "/dashboard/jobs/ftjob-hosted")[0]

    assert 200 == call(service, "POST", "/dashboard/news", {"jobs": [HOSTED], "news": [NEWS]})[0]
    _, _, jobs = visitor.ask("GET", "/")
    status, _, text = visitor.ask("GET", "/dashboard/jobs/ftjob-hosted")

    assert re.search(r'openai <span class="small quiet">asked \d s ago</span>', jobs)
    assert 200 == status
    for part in ("2 / 8", "25%", "now: training 0.5", "started &lt;b&gt;", "openai, asked ", "data-live"):
        assert part in text
    # Nothing can be done from here with a job at a host.
    assert "do-cancel" not in text
    assert 404 == visitor.ask("GET", "/dashboard/jobs/ftjob-hosted/cancel")[0]


def test_the_page_of_a_job_elsewhere_has_price_and_checkpoints(service: RunningService) -> None:
    """As planned until the host told its tokens; texts of the host stay texts."""
    planned = {"price": "$0.02", "arithmetic": "2,000 tokens × 3 epochs × $3 per million tokens"}
    kept = {"step": 1200, "model": "ft:<b>\u202e", "metrics": {"train_loss": 0.5, "full_valid_loss": 0.25}}
    visitor = let_in(service, [{**HOSTED, **planned}])
    call(service, "POST", "/dashboard/news", {"news": [{**NEWS, "checkpoints": [kept, "no object"]}]})
    _, _, before = visitor.ask("GET", "/dashboard/jobs/ftjob-hosted")
    trained = {"trained_tokens": 1700, "price": "$0.01", "arithmetic": "1,700 trained tokens × <$3>"}
    call(service, "POST", "/dashboard/news", {"news": [{**NEWS, **trained}]})
    _, _, after = visitor.ask("GET", "/dashboard/jobs/ftjob-hosted")

    assert "<dt>Price, planned</dt><dd>$0.02</dd>" in before
    assert f"<td>$0.02 ({planned['arithmetic']})</td>" in before
    assert (
        '<td class="n">1,200</td><td class="n">0.25</td><td class="id">ft:&lt;b&gt;\\u202e</td>'
    ) in before
    assert "<dt>Price</dt><dd>$0.01</dd>" in after
    assert "<td>$0.01 (1,700 trained tokens × &lt;$3&gt;)</td>" in after


def test_trouble_with_a_host_is_shown_beside_what_it_said_before(service: RunningService) -> None:
    visitor = let_in(service, [HOSTED])
    call(service, "POST", "/dashboard/news", {"news": [NEWS, "no object", {"id": ""}]})
    call(service, "POST", "/dashboard/news", {"news": [{"id": "ftjob-hosted", "trouble": "openai: <401>"}]})

    _, _, jobs = visitor.ask("GET", "/")
    _, _, text = visitor.ask("GET", "/dashboard/jobs/ftjob-hosted")
    assert '<span class="small error" dir="auto">openai: &lt;401&gt;</span>' in jobs
    assert '<p class="error" dir="auto">openai: &lt;401&gt;</p>' in text
    assert "Step" in text


def test_news_need_the_token(service: RunningService) -> None:
    visitor = let_in(service)

    assert 401 == visitor.ask("POST", "/dashboard/news", {"news": "[]"})[0]


def test_odd_numbers_of_a_host_leave_the_pages_whole(service: RunningService) -> None:
    """Milliseconds where seconds are meant, a step that no float holds."""
    visitor = let_in(service, [HOSTED])
    metrics = {**NEWS["events"][1], "data": {"step": 10**400, "train_loss": 0.5}}
    late = {**NEWS["events"][0], "created_at": 1_795_000_000_000}
    odd = {**NEWS, "created_at": 1_795_000_000_000, "events": [late, metrics]}
    call(service, "POST", "/dashboard/news", {"news": [odd]})

    assert [200, 200] == [visitor.ask("GET", path)[0] for path in ("/", "/dashboard/jobs/ftjob-hosted")]
