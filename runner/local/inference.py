"""Keeps one process that answers chats, and passes it one request at a time."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from runner.local.launching import describe_exit
from runner.local.layout import PACKAGE_ROOT, Layout

MAX_REPLY_BYTES = 1 << 22
# How long an answer that nobody reads any more may run on before its process is ended and started anew.
ABANDONED_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceRequest:
    """One question in the words of `runner.local.training.inference`."""

    id: str
    model_path: str | None
    base_model: str
    messages: list[dict[str, Any]]
    max_tokens: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: list[str] = field(default_factory=list)
    n: int = 1
    top_logprobs: int | None = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: dict[str, float] = field(default_factory=dict)
    tools: list[dict[str, Any]] = field(default_factory=list)
    must_call: bool = False
    schema: dict[str, Any] | None = None


class InferenceDiedError(Exception):
    """The process ended in the middle of an answer; the next request starts another."""


class Inference:
    """One child process, started by the first request or by `warm`."""

    def __init__(self, layout: Layout, module: str) -> None:
        self._log = layout.root / "inference.log"
        self._shown_log = layout.shown(self._log)
        self._module = module
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def warm(self) -> None:
        """Load the libraries in the background, unless the process is there already."""
        if self._process is None and not self._turn.locked():
            self._in_background(self._warm())

    async def replies(self, request: InferenceRequest) -> AsyncGenerator[dict[str, Any], None]:
        """Ask, and pass on the replies up to the last; one request at a time, the others wait.

        Raises InferenceDiedError. The iterator may be left before its end.
        """
        await self._turn.acquire()
        finished = False
        try:
            process = await self._send(asdict(request))
            while not finished:
                reply = await self._receive(process, request.id)
                finished = "done" in reply or "error" in reply
                yield reply
        finally:
            if finished or self._process is None:
                self._turn.release()
            else:
                self._in_background(self._finish_unread(request.id))

    async def stop(self) -> None:
        """End the process."""
        for task in self._tasks:
            task.cancel()
        if self._process is not None:
            await self._end(self._process)

    async def _warm(self) -> None:
        async with self._turn:
            with suppress(InferenceDiedError):
                await self._send({"warm": True})

    async def _send(self, message: dict[str, Any]) -> asyncio.subprocess.Process:
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await self._start()
        if process.stdin is None:
            raise AssertionError("BUG: the inference process has no standard input")
        try:
            process.stdin.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
            await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise await self._death(process) from error
        return process

    async def _receive(self, process: asyncio.subprocess.Process, request_id: str) -> dict[str, Any]:
        if process.stdout is None:
            raise AssertionError("BUG: the inference process has no standard output")
        while True:
            line = await process.stdout.readline()
            if not line.endswith(b"\n"):
                raise await self._death(process)
            reply: dict[str, Any] = json.loads(line)
            if reply.get("id") == request_id:
                return reply

    async def _start(self) -> asyncio.subprocess.Process:
        with self._log.open("wb") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self._module,
                cwd=PACKAGE_ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                limit=MAX_REPLY_BYTES,
            )

    async def _death(self, process: asyncio.subprocess.Process) -> InferenceDiedError:
        self._process = None
        code = await process.wait()
        return InferenceDiedError(
            f"{describe_exit('inference', code)} The next request starts it again. Its log: {self._shown_log}"
        )

    async def _finish_unread(self, request_id: str) -> None:
        process = self._process
        try:
            async with asyncio.timeout(ABANDONED_S):
                while process is not None:
                    reply = await self._receive(process, request_id)
                    if "done" in reply or "error" in reply:
                        return
        except (TimeoutError, InferenceDiedError):
            if process is not None:
                await self._end(process)
        finally:
            self._turn.release()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        self._process = None
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
