"""Through a gateway that drops metadata and headers, as LiteLLM's pass-through does, a job is made once.

`scripts/litellm_check.py` does the same with the real LiteLLM.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.local.layout import ServiceRecord
from scripts.service_proxy import Answer, Forward, Request, proxy
from tests.cli.conftest import Call
from tests.fake_host import KEY, FakeHost
from tests.small_project import write_host_entry

CREATE = "POST /fine_tuning/jobs"
REFUSED = Answer(status=400, headers={}, body=b'{"error":{"message":"the gateway is restarting"}}')


class Gateway:
    """Passes everything on but metadata and the idempotency key; `is_down` refuses what it is asked."""

    is_down = False
    fails_after_create = False

    def handle(self, request: Request, forward: Forward) -> Answer:
        if self.is_down:
            return REFUSED
        headers = {name: value for name, value in request.headers.items() if name != "idempotency-key"}
        body = request.body
        if request.method == "POST" and request.path.endswith("/jobs"):
            wanted = {key: value for key, value in request.json.items() if key != "metadata"}
            body = json.dumps(wanted).encode()
            self.is_down = self.fails_after_create
        answer = forward(replace(request, headers=headers, body=body, path=f"/v1{request.path}"))
        return replace(answer, status=500) if self.is_down else answer


@pytest.fixture
def gateway(
    fake_host: FakeHost, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Gateway]:
    """The fake host behind a gateway, as a host entry that says that metadata is not kept."""
    made, port = Gateway(), int(fake_host.url.rsplit(":", 1)[1].split("/")[0])
    record = ServiceRecord(pid=0, port=port, token=KEY, version="", is_detached=True)
    config = tmp_path_factory.mktemp("config")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    monkeypatch.setenv("FAKE_API_KEY", "sk-gateway")
    monkeypatch.setattr("runner.execution.polling.HOSTED_POLL_S", 0.01)
    monkeypatch.setattr("runner.running.start.SETTLE_S", 0.0)
    monkeypatch.setattr("runner.execution.run.LOOKUP_DELAYS", (0.0,))
    with proxy(record, made.handle, any_key=True) as url:
        write_host_entry(config, url, keeps_metadata=False)
        yield made


def test_a_run_goes_through_and_a_second_one_does_nothing(
    call: Call, recipe: Path, gateway: Gateway, fake_host: FakeHost
) -> None:
    codes = [call("run", recipe, "--yes").code for _ in range(2)]

    assert [0, 0] == codes
    assert (1, None) == (fake_host.count(CREATE), fake_host.jobs["ftjob-1"]["metadata"])
    assert not any("idempotency-key" in headers for headers in fake_host.headers)


def test_a_job_whose_answer_was_lost_is_found_by_its_training_file(
    call: Call, recipe: Path, gateway: Gateway, fake_host: FakeHost
) -> None:
    gateway.fails_after_create = True
    lost = call("run", recipe, "--yes")
    gateway.is_down = gateway.fails_after_create = False
    found = call("run", recipe, "--yes")

    assert (1, 0) == (lost.code, found.code)
    assert "did not confirm the job" in lost.err
    assert "Found ftjob-1, created before" in found.err
    assert (1, 1) == (fake_host.count(CREATE), fake_host.charges)
