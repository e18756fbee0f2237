"""Drives a real Chromium through its debugging pipe; nothing but the standard library.

https://chromedevtools.github.io/devtools-protocol/ (2026-11)
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# The browser reads commands from descriptor 3 and writes to 4.
START = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
    "os.execv(sys.argv[3], sys.argv[3:])"
)
KEYS = {"Tab": 9, "Enter": 13, " ": 32, "ArrowRight": 39, "ArrowLeft": 37, "ArrowDown": 40, "ArrowUp": 38}


class Browser:
    """One page of a browser: what is asked of it and what it tells."""

    def __init__(self, commands: int, answers: int) -> None:
        self.commands = commands
        self.answers = answers
        self.rest = b""
        self.number = 0
        self.session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command; its result."""
        self.number += 1
        message: dict[str, Any] = {"id": self.number, "method": method, "params": params}
        if self.session is not None:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == message["id"]:
                assert "error" not in answer, answer["error"]
                return dict(answer["result"])
            self.events.append(answer)

    def open(self, url: str) -> None:
        """Load a page to its end."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait(lambda: "Page.loadEventFired" in map(_method, self.events))

    def wait(self, is_so: Callable[[], bool]) -> None:
        """Read what the browser tells until something is so."""
        while not is_so():
            self.events.append(self._read())

    def load(self, act: Callable[[], None]) -> None:
        """Do what leads to another page, and wait for that."""
        self.events.clear()
        act()
        self.wait(lambda: "Page.loadEventFired" in map(_method, self.events))

    def value(self, expression: str) -> Any:
        """What a piece of JavaScript gives."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            code = {"key": key, "windowsVirtualKeyCode": KEYS[key]}
            text = {"Enter": "\r", " ": " "}.get(key)
            self.call("Input.dispatchKeyEvent", type="keyDown", **code, **({"text": text} if text else {}))
            self.call("Input.dispatchKeyEvent", type="keyUp", **code)

    def type(self, text: str) -> None:
        """Write into what has the focus."""
        self.call("Input.insertText", text=text)

    def resize(self, width: int, height: int = 900) -> None:
        """Become as wide as a phone, or a desk."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def media(self, name: str = "", scheme: str = "light") -> None:
        """Show the page as on paper, or in dark colours."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=name, features=features)

    @property
    def requests(self) -> list[str]:
        """Every address that the page asked for since it was opened."""
        told = (item for item in self.events if _method(item) == "Network.requestWillBeSent")
        return [item["params"]["request"]["url"] for item in told]

    @property
    def complaints(self) -> list[str]:
        """Errors, refusals of the policy and dialogs since the page was opened."""
        bad = ("Log.entryAdded", "Runtime.exceptionThrown", "Page.javascriptDialogOpening")
        return [json.dumps(item["params"]) for item in self.events if _method(item) in bad]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            part = os.read(self.answers, 1 << 16)
            assert part, "the browser has ended"
            self.rest += part
        line, _, self.rest = self.rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def open_browser(folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own in a folder."""
    assert CHROMIUM is not None
    read_commands, commands = _high_pipe()
    answers, write_answers = _high_pipe()
    theirs = (read_commands, write_answers)
    process = subprocess.Popen(
        [sys.executable, "-c", START, *map(str, theirs), CHROMIUM, *OPTIONS, f"--user-data-dir={folder}"],
        pass_fds=theirs,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(folder)},
    )
    for descriptor in theirs:
        os.close(descriptor)
    try:
        yield Browser(commands, answers)
    finally:
        os.close(commands)
        os.close(answers)
        process.terminate()
        process.wait()


def _high_pipe() -> tuple[int, int]:
    """A pipe whose ends are not in the way of descriptors 3 and 4."""
    low = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low]
    for end in low:
        os.close(end)
    return high[0], high[1]


def _method(event: dict[str, Any]) -> str:
    return str(event.get("method", ""))
