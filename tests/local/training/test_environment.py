"""The environment of a process that trains: pytest tests/local/training/test_environment.py"""

import os
import sys

import pytest

from runner.local.training.environment import prepare_environment


def test_threads_and_network_are_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    environment: dict[str, str] = {"HF_HUB_OFFLINE": "0"}
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr(sys, "modules", {})
    prepare_environment(allow_network=False, threads=1)

    assert ("1", "1", "PASSIVE", "1") == (
        environment["OMP_NUM_THREADS"],
        environment["MKL_NUM_THREADS"],
        environment["OMP_WAIT_POLICY"],
        environment["HF_HUB_OFFLINE"],
    )


def test_network_and_threads_can_be_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    environment: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr(sys, "modules", {})
    prepare_environment(allow_network=True, threads=None)

    assert "0" == environment["HF_HUB_OFFLINE"]
    assert "OMP_NUM_THREADS" not in environment
    assert "1" == environment["HF_HUB_DISABLE_TELEMETRY"]


def test_too_late_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "modules", {"torch": sys})
    with pytest.raises(AssertionError, match="BUG: prepare_environment must run before torch"):
        prepare_environment(allow_network=False, threads=1)
