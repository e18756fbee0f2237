"""The guards around every test work."""

import os
import socket
from pathlib import Path

import pytest


def test_the_home_is_an_empty_folder_and_there_are_no_keys() -> None:
    assert [] == list(Path.home().iterdir())
    assert "OPENAI_API_KEY" not in os.environ


def test_the_network_cannot_be_reached() -> None:
    with pytest.raises(AssertionError, match="a test tried to reach"), socket.socket() as connection:
        connection.connect(("192.0.2.1", 80))
