"""One gRPC channel to a server, and inferences over it that outlive a restart of that server."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from alphacut_client import _faults
from alphacut_client._retry import Backoff
from alphacut_core.errors import AlphacutError, UnavailableError

MIN_TIMEOUT_S = 0.05
"""Shortest deadline: Triton before 25.06 can be crashed by calls whose deadline passes within milliseconds."""

CHANNEL_OPTIONS = (
    # The server's limits on images apply; gRPC's own 4 MiB would be far below them.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A server that comes back is found at once; gRPC's own back-off grows to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


def check_times(timeout_s: float, retry_for_s: float) -> None:
    """Refuse deadlines that the server cannot stand and negative times for retries, with a ValueError."""
    if timeout_s < MIN_TIMEOUT_S:
        raise ValueError(f"got timeout_s={timeout_s}; at least {MIN_TIMEOUT_S} s are needed")
    if retry_for_s < 0:
        raise ValueError(f"got retry_for_s={retry_for_s}; give 0 or more seconds")


class Connection:
    """A channel; all methods may be called from several threads at once."""

    def __init__(self, url: str, *, timeout_s: float, retry_for_s: float) -> None:
        check_times(timeout_s, retry_for_s)
        self.url = url
        self.timeout_s = timeout_s
        self.retry_for_s = retry_for_s
        self.closed = False
        self._channel = grpc.insecure_channel(url, options=CHANNEL_OPTIONS)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    def start(self, method: str, request: Any) -> Any:
        """Start one call of the inference service and return gRPC's future.

        Raises:
            RuntimeError: The connection is closed.
        """
        try:
            return getattr(self._stub, method).future(request, timeout=self.timeout_s)
        except ValueError as error:
            if not self.closed:
                raise
            raise RuntimeError(f"the client of {self.url} is closed; create a new Client") from error

    def finish(self, call: Any) -> Any:
        """Wait for a call and return its response.

        Raises:
            AlphacutError: The one error that the failed call stands for.
        """
        try:
            return call.result()
        except grpc.FutureCancelledError as error:
            raise UnavailableError(f"the call to {self.url} was given up before its answer came") from error
        except grpc.RpcError as error:
            if self.closed:
                raise UnavailableError(f"the client of {self.url} was closed before its answer came") from error
            raise _faults.from_status(call.code(), call.details() or "", self.url) from error

    def call(self, method: str, request: Any) -> Any:
        """Call once, wait, and return the response; raises what ``start`` and ``finish`` raise."""
        return self.finish(self.start(method, request))

    def close(self) -> None:
        """Cancel what is under way and close the channel; closing twice is fine."""
        self.closed = True
        self._channel.close()


class Calls:
    """The inferences of one caller, which can be given up together."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._active: set[Any] = set()
        self._given_up = threading.Event()

    def give_up(self) -> None:
        """Cancel everything under way, on the server too, and refuse to start more."""
        self._given_up.set()
        with self._lock:
            active = list(self._active)
        for call in active:
            call.cancel()

    @property
    def ended(self) -> bool:
        """Whether nobody wants further attempts."""
        return self._given_up.is_set() or self._connection.closed

    def infer(self, request: service_pb2.ModelInferRequest) -> PendingInference:
        """Send a request; the answer is waited for by ``PendingInference.response``."""
        return PendingInference(self, self._connection, request)

    def start(self, request: service_pb2.ModelInferRequest) -> Any:
        """Start one attempt."""
        call = self._connection.start("ModelInfer", request)
        with self._lock:
            self._active.add(call)
        if self._given_up.is_set():
            call.cancel()
        return call

    def finish(self, call: Any) -> Any:
        """Wait for one attempt."""
        try:
            return self._connection.finish(call)
        finally:
            with self._lock:
                self._active.discard(call)

    def pause(self, duration_s: float) -> None:
        """Sleep between two attempts; ``give_up`` ends it early."""
        self._given_up.wait(duration_s)


class PendingInference:
    """One inference under way: a context manager that cancels what nobody waits for any more.

    While a restart can cure a failure, the request is sent again, as ``Backoff`` says.
    """

    def __init__(self, calls: Calls, connection: Connection, request: service_pb2.ModelInferRequest) -> None:
        self._calls = calls
        self._request = request
        self._retry_for_s = connection.retry_for_s
        self._call = calls.start(request)

    def __enter__(self) -> PendingInference:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._call.done():
            self._call.cancel()

    def response(self) -> service_pb2.ModelInferResponse:
        """Wait for the answer.

        Raises:
            AlphacutError: The failure that no retry can cure, or the last one when the time for retries is over.
        """
        backoff = Backoff(self._retry_for_s)
        while True:
            try:
                return self._calls.finish(self._call)
            except AlphacutError as error:
                pause_s = backoff.pause_s(error)
                if pause_s is None or self._calls.ended:
                    raise
            self._calls.pause(pause_s)
            self._call = self._calls.start(self._request)
