"""Calls from the tasks of one event loop, with the deadlines, retries and errors that threads get."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

import grpc

from alphacut_client._endpoint import Endpoint
from alphacut_client._steps import Send
from alphacut_client.settings import Settings
from alphacut_core.errors import AlphacutError, OverloadedError


class AsyncConnection(Endpoint):
    """A channel for one event loop; a cancelled task cancels its call on the server too.

    Raises:
        RuntimeError: No event loop runs here.
    """

    def __init__(self, settings: Settings) -> None:
        try:
            self._loop = asyncio.get_running_loop()  # gRPC would take, or make, one that may never run
        except RuntimeError as error:
            raise RuntimeError(
                "an AsyncClient belongs to the event loop that it is created on, and none runs here; create it in a "
                "coroutine, such as the lifespan of a web application"
            ) from error
        super().__init__(settings, "AsyncClient", grpc.aio)
        self._under_way: set[Any] = set()  # calls and pauses; some calls may be over a channel that was replaced

    def check_open(self) -> None:
        """Refuse work after ``close``, after a fork, which no event loop survives, and on another loop.

        Raises:
            RuntimeError: One of these.
        """
        super().check_open()
        if os.getpid() != self._pid:
            raise RuntimeError("this AsyncClient belongs to the parent process's event loop; create one in the child")
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("this AsyncClient belongs to another event loop; create one on the loop that uses it")

    async def attempt(self, send: Send) -> Any:
        """Call once and return the response.

        Raises:
            AlphacutError: The one error that the failed call stands for.
        """
        started = time.monotonic()
        call = self.method(send.method)(send.request, timeout=send.timeout_s, metadata=self.headers())
        self.active += 1
        self._under_way.add(call)
        try:
            response = await call
        except grpc.aio.AioRpcError as error:
            raise self.fault(error.code(), error.details() or "", started) from error
        except asyncio.CancelledError as error:
            if self.closed:  # which cancelled it, not the task's owner
                raise self.lost() from error
            raise
        finally:
            self.active -= 1
            self._under_way.discard(call)
        self.heard(started)
        return response

    async def answer(self, send: Send, on_overload: Callable[[], None] | None = None) -> Any:
        """Call, and send the request again while a restart can cure the failure; see ``_calls.PendingAnswer``.

        Raises:
            AlphacutError: The failure that no retry can cure, or the last one when the time for retries is over.
        """
        backoff = self.backoff(patient=on_overload is not None)
        while True:
            try:
                return await self.attempt(send)
            except AlphacutError as error:
                if isinstance(error, OverloadedError) and on_overload is not None:
                    on_overload()
                pause_s = None if send.once else backoff.pause_s(error)
                if pause_s is None or self.closed:
                    raise
            await self._pause(pause_s)

    async def _pause(self, duration_s: float) -> None:
        """Sleep between two attempts; ``close`` ends it early."""
        never = asyncio.get_running_loop().create_future()
        self._under_way.add(never)
        try:
            await asyncio.wait({never}, timeout=duration_s)
        finally:
            self._under_way.discard(never)

    async def close(self) -> None:
        """Cancel what is under way and close the channel; closing twice is fine."""
        self.closed = True
        for each in tuple(self._under_way):
            each.cancel()
        await self._channel.close()
