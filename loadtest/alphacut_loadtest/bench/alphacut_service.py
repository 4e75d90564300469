"""Alphacut end to end: client, gRPC, and an embedded Triton."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import metadata
from typing import Literal

from alphacut_client import Client, EmbeddedServer, StageTimes
from alphacut_client.timings import timed
from alphacut_core import codec
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.tiers import DEFAULT_MODEL
from alphacut_loadtest.bench.subject import Call, Setting, Subject
from alphacut_loadtest.measure import triton

_TIMEOUT_S = 600.0


class AlphacutService(Subject):
    """One server and one client for all callers, as in a service that uses Alphacut."""

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self._times = StageTimes()
        self._server = self._stack.enter_context(
            EmbeddedServer(setting.repository, models=(DEFAULT_MODEL,), tiers=("full",))
        )
        self.marks["ready"] = time.time()
        self._client = self._connect("client")
        self._renderer = self._connect("server")
        self._health = self._client.health()
        self._pause()
        self._stack.callback(self._resume)

    def call(self, contender: str, concurrency: int) -> Call:
        """Return a method of the client."""
        calls: dict[str, Call] = {
            "mask-encoded": self._client.mask,
            "mask-fast": partial(self._client.mask, decode="fast"),
            "mask-pixels": self._mask_pixels,
            "cutout-client": self._client.remove,
            "cutout-server-png": self._renderer.remove,
            "cutout-server-webp": partial(self._renderer.remove, format="webp"),
        }
        return calls[contender]

    def versions(self) -> dict[str, str]:
        """Return those of both ends."""
        installed = {name: metadata.version(name) for name in ("alphacut", "tritonclient", "grpcio", "numpy", "pillow")}
        return {**installed, "server": self._health.server}

    def stages_s(self) -> dict[str, float]:
        """Return the client's stages and the server's models; the server works while the client waits."""
        client = {f"client: {stage}": spent.total_s for stage, spent in self._times.by_stage().items()}
        server: dict[str, float] = {}
        for model, counters in triton.read(self._server.metrics_url).counters.items():
            if model == DEFAULT_PIPELINE.ensemble:
                server[f"{model}: all"] = counters.total_s
            else:
                server[f"{model}: queue"] = counters.queue_s
                server[f"{model}: compute"] = counters.compute_s
        return {**client, **server}

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Let the supervisor run meanwhile: its probes of an idle server would slow down whoever else is measured."""
        self._resume()
        try:
            yield
        finally:
            self._pause()

    def _connect(self, render_on: Literal["client", "server"]) -> Client:
        client = Client(
            self._server.url, timeout_s=_TIMEOUT_S, retry_for_s=0, render_on=render_on, observer=self._times
        )
        return self._stack.enter_context(client)

    def _mask_pixels(self, data: bytes) -> bytes:
        with timed(self._times, "decode"):
            picture = codec.decode(data)
        mask = self._client.mask(picture)
        with timed(self._times, "encode"):
            return codec.encode_png(mask)

    def _pause(self) -> None:
        os.kill(self._server.pid, signal.SIGSTOP)

    def _resume(self) -> None:
        os.kill(self._server.pid, signal.SIGCONT)
