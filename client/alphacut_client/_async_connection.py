"""One gRPC channel for an event loop, with the deadlines, retries and errors of ``_connection``."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from alphacut_client import _faults
from alphacut_client._connection import CHANNEL_OPTIONS, check_times
from alphacut_client._retry import Backoff
from alphacut_core.errors import AlphacutError, UnavailableError


class AsyncConnection:
    """A channel for the tasks of one event loop; a cancelled task cancels its call on the server too."""

    def __init__(self, url: str, *, timeout_s: float, retry_for_s: float) -> None:
        check_times(timeout_s, retry_for_s)
        self.url = url
        self.timeout_s = timeout_s
        self.retry_for_s = retry_for_s
        self.closed = False
        self._channel = grpc.aio.insecure_channel(url, options=CHANNEL_OPTIONS)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    def check_open(self) -> None:
        """Refuse work after ``close``, with a RuntimeError."""
        if self.closed:
            raise RuntimeError(f"the client of {self.url} is closed; create a new AsyncClient")

    async def call(self, method: str, request: Any) -> Any:
        """Call once and return the response.

        Raises:
            AlphacutError: The one error that the failed call stands for.
            RuntimeError: The connection is closed.
        """
        self.check_open()
        call = getattr(self._stub, method)(request, timeout=self.timeout_s)
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise _faults.from_status(error.code(), error.details() or "", self.url) from error
        except asyncio.CancelledError as error:
            if self.closed:  # the channel cancelled it, not the task's owner
                raise UnavailableError(f"the client of {self.url} was closed before its answer came") from error
            raise

    async def infer(self, request: service_pb2.ModelInferRequest) -> service_pb2.ModelInferResponse:
        """Infer, and send the request again while a restart can cure the failure.

        Raises:
            AlphacutError: The failure that no retry can cure, or the last one when the time for retries is over.
        """
        backoff = Backoff(self.retry_for_s)
        while True:
            try:
                return await self.call("ModelInfer", request)
            except AlphacutError as error:
                pause_s = backoff.pause_s(error)
                if pause_s is None or self.closed:
                    raise
            await asyncio.sleep(pause_s)

    async def close(self) -> None:
        """Cancel what is under way and close the channel; closing twice is fine."""
        self.closed = True
        await self._channel.close()
