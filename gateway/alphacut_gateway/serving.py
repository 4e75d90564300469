"""The application on a socket: in this process, or in several that share it."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import click
import httpx
import uvicorn
from prometheus_client.multiprocess import mark_process_dead
from uvicorn.supervisors import Multiprocess

from alphacut_core.errors import ContractError
from alphacut_gateway import assembly
from alphacut_gateway.app import create_app
from alphacut_gateway.guard import MAX_HEAD_BYTES
from alphacut_gateway.protocol import DeadlineConfig
from alphacut_gateway.settings import PREFIX, Settings

_START_TIMEOUT_S = 120.0
_LOOK_EVERY_S = 0.1


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Raises:
        ContractError: The application does not start.
    """
    server = _Server(_config(create_app(settings), settings), settings.triton_url)
    server.run([listener])
    if not server.started:
        raise ContractError("the gateway did not start; its log says why")


def serve_in_workers(settings: Settings, listener: socket.socket, workers: int) -> None:
    """Serve in several processes; one that dies is replaced.

    They read their settings from this process' environment. Each has a cache of masks of its own, and Redis' between
    them where there is one. ``/metrics`` adds the numbers of all of them up.

    Raises:
        ContractError: Jobs would be kept in one process' memory, where the others do not find them; or no worker
            starts.
    """
    assembly.check(settings)  # here, since workers can say so only in the log
    if not settings.redis_url and settings.jobs_file is None:
        raise ContractError(
            f"got {workers} workers, which need one place for jobs; set ${PREFIX}REDIS_URL, or ${PREFIX}JOBS_FILE"
        )
    with tempfile.TemporaryDirectory(prefix="alphacut-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        os.environ[f"{PREFIX}TRITON_URL"] = settings.triton_url
        config = _config("alphacut_gateway.app:from_environment", settings, factory=True, workers=workers)
        _Workers(config, listener, settings.triton_url).run()


class _Server(uvicorn.Server):
    """Uvicorn that says where it and the Triton behind it listen once it does."""

    def __init__(self, config: uvicorn.Config, triton_url: str) -> None:
        super().__init__(config)
        self._triton_url = triton_url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            _announce(sockets or (), self._triton_url)


class _Workers(Multiprocess):
    """Uvicorn's supervisor, which says the same once a worker answers."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, triton_url: str) -> None:
        super().__init__(config, uvicorn.Server(config).run, [listener])
        self._triton_url = triton_url
        self._counted: set[int] = set()

    def init_processes(self) -> None:
        super().init_processes()
        try:
            if self._wait():
                _announce(self.sockets, self._triton_url)
        except ContractError:
            self.terminate_all()
            self.join_all()
            raise

    def keep_subprocess_alive(self) -> None:
        super().keep_subprocess_alive()
        alive = {process.pid for process in self.processes if process.pid is not None}
        for pid in self._counted - alive:
            # What it had under way is so no more, and would be counted for ever.
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
        self._counted = alive

    def _wait(self) -> bool:
        """Say whether a worker answers, once one does or somebody wants to stop."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._answers():
            self.handle_signals()
            if self.should_exit.is_set():
                return False
            if not any(process.process.is_alive() for process in self.processes):
                raise ContractError("no worker has started; their log says why")
            if time.monotonic() > deadline:
                raise ContractError(f"no worker answers within {_START_TIMEOUT_S:g} s; their log says why")
            time.sleep(_LOOK_EVERY_S)
        return True

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{_url(self.sockets[0])}/healthz", trust_env=False).is_success
        except httpx.HTTPError:
            return False


def _config(app: Any, settings: Settings, **more: Any) -> DeadlineConfig:
    return DeadlineConfig(
        app,
        head_timeout_s=settings.head_timeout_s,
        stall_timeout_s=settings.upload_timeout_s,
        max_connections=settings.max_connections,
        log_level="warning",
        access_log=False,  # the application writes its own line, without addresses' queries
        server_header=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        **more,
    )


def _announce(listeners: Sequence[socket.socket], triton_url: str) -> None:
    for listener in listeners:
        click.echo(f"HTTP {_url(listener)}")
    click.echo(f"gRPC {triton_url}")
    sys.stdout.flush()


def _url(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
