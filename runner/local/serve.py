"""Runs the service until it is stopped, or has been idle."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

import runner
from runner.clock import SystemClock
from runner.errors import RunnerError
from runner.local.dashboard.entry import Entry
from runner.local.dashboard.known import KnownJobs
from runner.local.inference import Inference
from runner.local.launcher import Launcher
from runner.local.layout import Layout, ServiceRecord, read_record, write_record
from runner.local.locks import try_lock
from runner.local.service.app import make_app
from runner.local.service.batch_runner import run_batches
from runner.local.service.context import Service
from runner.local.service.guard import Activity, Guard
from runner.local.service.housekeeping import keep_clean
from runner.local.service.slow_clients import SlowClients
from runner.local.store import Store
from runner.local.supervisor import Supervisor

HOST = "127.0.0.1"
CHECK_S = 0.5
SHUTDOWN_S = 3
# A command that looks whether a service runs holds the lock for an instant.
LOCK_S = 0.5
LOCK_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """The modules that the service runs as processes of their own."""

    worker: str = "runner.local.worker"
    inference: str = "runner.local.training.inference"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """What the operator allows: jobs may fetch models, graders may run Python, so many jobs train at once.

    `alias_of` gives the model that a name stands for, None for a name that is no alias. With
    `trusts_clients`, what a client allows its job is allowed. `known_jobs` gives the jobs that lockfiles
    name, for the dashboard, which `dashboard_key` opens once.
    """

    allow_network: bool = False
    allow_code: bool = False
    trusts_clients: bool = False
    max_jobs: int = 1
    launcher: Launcher = Launcher()
    alias_of: Callable[[str], str | None] = lambda _: None
    known_jobs: Callable[[], Sequence[Mapping[str, Any]]] | None = None
    dashboard_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setup:
    layout: Layout
    record: ServiceRecord
    options: ServiceOptions
    idle_s: float | None
    children: Children

    @property
    def is_recorded(self) -> bool:
        """Whether clients find this service; not so once someone removed the folder or started another."""
        return read_record(self.layout) == self.record

    def remove_record(self) -> None:
        """Let no more clients find this service."""
        if self.is_recorded:
            self.layout.record.unlink(missing_ok=True)


def serve(  # noqa: PLR0913 - each is one decision of the caller
    state: Path,
    *,
    token: str,
    port: int = 0,
    options: ServiceOptions | None = None,
    idle_s: float | None = None,
    announce: Callable[[str], None] | None = None,
    children: Children | None = None,
) -> None:
    """Serve a state folder on loopback until SIGINT or SIGTERM; with `idle_s`, until it was idle that long.

    `announce` gets the base URL once clients can connect. Jobs in progress go on without the service, and the
    next one takes them over. Raises RunnerError when the port is taken or another service has the folder.
    """
    layout, options = Layout(state.resolve()), options or ServiceOptions()
    layout.files.mkdir(parents=True, exist_ok=True)
    lock = _lock_folder(layout)
    try:
        with _listen(port) as listener:
            bound = listener.getsockname()[1]
            # Either signal ends the service the same way, also before the server has handlers of its own; it
            # raises the signal again when it has stopped.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            record = ServiceRecord(
                pid=os.getpid(),
                port=bound,
                token=token,
                version=runner.__version__,
                is_detached=idle_s is not None,
                launcher=options.launcher,
            )
            modules = children or Children()
            setup = _Setup(layout=layout, record=record, options=options, idle_s=idle_s, children=modules)
            try:
                # Inside, because a signal may come while the record is on its way to the disk.
                write_record(layout, record)
                if announce is not None:
                    announce(record.base_url)
                asyncio.run(_serve(setup, listener))
            except KeyboardInterrupt:
                pass
            finally:
                setup.remove_record()
    finally:
        os.close(lock)


def _lock_folder(layout: Layout) -> int:
    # Without a record, the one that holds the lock is about to end, or to begin.
    deadline = time.monotonic() + (LOCK_S if read_record(layout) else 2 * SHUTDOWN_S)
    while (lock := try_lock(layout.service_lock)) is None:
        if time.monotonic() > deadline:
            raise RunnerError(_other_service(layout))
        time.sleep(LOCK_POLL_S)
    return lock


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        # Clients may connect from now on; they wait until the service is up.
        listener.listen()
    except OSError as error:
        listener.close()
        raise RunnerError(
            f"The local service cannot listen on {HOST}:{port}: {error.strerror}. "
            "Choose another port with --port."
        ) from error
    return listener


def _other_service(layout: Layout) -> str:
    running = read_record(layout)
    if running is None:
        return "Another local service is starting for this project. Try again in a moment."
    return (
        f"A local service already runs for this project at {running.base_url} (process {running.pid}). "
        "Use it, or stop it with `finetune serve --stop`."
    )


async def _serve(setup: _Setup, listener: socket.socket) -> None:
    service = _make_service(setup)
    activity = Activity(now=asyncio.get_running_loop().time)
    hint = f"The local service's token is in {setup.layout.shown(setup.layout.record)}."
    guard = Guard(make_app(service, _lifespan), setup.record.token, setup.record.port, hint, activity)
    server = uvicorn.Server(
        uvicorn.Config(
            guard,
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
    )
    watcher = asyncio.create_task(_stop_in_time(server, service, activity, setup))
    try:
        await server.serve(sockets=[listener])
    finally:
        watcher.cancel()
        service.store.close()
    if not setup.layout.database.exists():
        raise RunnerError(f"The folder {setup.layout.root} was removed; the local service has stopped.")


def _make_service(setup: _Setup) -> Service:
    clock = SystemClock()
    store = Store(setup.layout.database)
    inference = Inference(setup.layout, setup.children.inference)
    worker, options = setup.children.worker, setup.options
    entry = Entry()
    if options.dashboard_key is not None:
        entry.invite(clock.now(), options.dashboard_key)
    return Service(
        layout=setup.layout,
        store=store,
        supervisor=Supervisor(
            setup.layout, store, clock, worker, inference.warm, options.max_jobs, options.launcher
        ),
        inference=inference,
        clock=clock,
        allow_network=setup.options.allow_network,
        allow_code=setup.options.allow_code,
        trusts_clients=setup.options.trusts_clients,
        alias_of=setup.options.alias_of,
        entry=entry,
        known=KnownJobs(read=options.known_jobs),
    )


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    service: Service = app.state.service
    works = (service.supervisor.run(), run_batches(service), keep_clean(service))
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await service.inference.stop()


async def _stop_in_time(server: uvicorn.Server, service: Service, activity: Activity, setup: _Setup) -> None:
    """Stop the server when it has been idle, or when its folder is not its own any more."""
    slow = SlowClients()
    while not server.should_exit:
        await asyncio.sleep(CHECK_S)
        slow.close_waiting(server.server_state.connections, activity.now())
        live = service.store.live_jobs()
        if not setup.layout.database.exists():
            # Someone removed the state: what is trained now could never be found.
            for job in live:
                service.store.move_job(job.id, "cancelled")
            server.should_exit = True
        if live or service.store.live_batches():
            activity.last = activity.now()
        is_idle = setup.idle_s is not None and activity.idle_s() >= setup.idle_s
        if is_idle or not setup.is_recorded:
            setup.remove_record()
            server.should_exit = True
