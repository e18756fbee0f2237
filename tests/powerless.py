"""Calls that file modes bind, although the tests may run as root, whom no mode stops."""

import ctypes
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

Answer = TypeVar("Answer")

# capset(2): version 3 of the header, this thread; three empty sets of 64 bits.
_HEADER = (0x20080522).to_bytes(4, sys.byteorder) + bytes(4)
_NO_CAPABILITIES = bytes(24)


def powerless(call: Callable[[], Answer]) -> Answer:
    """What a call returns in a thread without root's capabilities; they are a thread's own on Linux."""
    if os.geteuid() != 0:
        return call()
    if sys.platform != "linux":
        pytest.skip("root can read everything")
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_without_capabilities, call).result()


def _without_capabilities(call: Callable[[], Answer]) -> Answer:
    if ctypes.CDLL(None, use_errno=True).capset(_HEADER, _NO_CAPABILITIES) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    return call()
