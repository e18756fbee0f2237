"""The serve command around the service."""

from pathlib import Path
from typing import Any

import pytest

from runner.providers.local_service import ensure_service
from tests.cli.conftest import Call


@pytest.mark.parametrize("token", ["", "   ", "a b", "tökén"])
def test_a_token_that_no_client_can_send_is_refused(
    call: Call, project: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    """A blank one would let anybody in."""
    pytest.importorskip("uvicorn", reason="uvicorn (the extra `local`) is not installed")
    monkeypatch.chdir(project)
    monkeypatch.setenv("FINETUNE_SERVE_TOKEN", token)
    outcome = call("serve", "--port", "0")

    assert (
        2,
        "error: FINETUNE_SERVE_TOKEN is blank or has a space, a line end or a letter that no token has. "
        "Set another, or unset it to have one made.\n",
    ) == (outcome.code, outcome.err)


def test_stop_ends_the_service_that_a_command_started(
    call: Call, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("uvicorn", reason="uvicorn (the extra `local`) is not installed")
    monkeypatch.chdir(project)
    ensure_service(project / ".finetune")
    stopped, again = call("serve", "--stop"), call("serve", "--stop", "--json")

    assert (
        0,
        "stopped the local service; jobs in progress go on, and the next command takes them over\n",
    ) == (stopped.code, stopped.out)
    assert {"ok": True, "stopped": False} == again.data


def test_every_decision_reaches_the_service(
    call: Call, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("uvicorn", reason="uvicorn (the extra `local`) is not installed")
    monkeypatch.chdir(project)
    monkeypatch.setenv("FINETUNE_SERVE_TOKEN", "token")
    told: list[Any] = []

    def serve(state: Path, *, port: int, token: str, options: Any, announce: Any) -> None:
        told.append((options, port, token))
        announce("http://127.0.0.1:1234/v1")

    monkeypatch.setattr("runner.local.serve.serve", serve)
    outcome = call("serve", "--port", "0", "--max-jobs", "3", "--processes", "2", "--allow-code")
    options, port, token = told[0]

    assert (0, 0, "token") == (outcome.code, port, token)
    assert (3, 2, True, False) == (
        options.max_jobs,
        options.launcher.n_processes,
        options.allow_code,
        options.allow_network,
    )
    assert (None, []) == (options.alias_of("production"), options.known_jobs())
    assert (
        "serving http://127.0.0.1:1234/v1 for this project; Ctrl-C stops.\n"
        "  export OPENAI_BASE_URL=http://127.0.0.1:1234/v1\n"
        f"The dashboard opens once at http://127.0.0.1:1234/?key={options.dashboard_key}; "
        "`finetune dashboard` gives another address.\n"
    ) == outcome.err
