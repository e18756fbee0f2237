"""The serve command around the service."""

from pathlib import Path

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
