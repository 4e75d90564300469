"""Requests that outlive a restart of their server, and can be given up together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from alphacut_client._connection import Attempt, Connection
from alphacut_client._steps import Send
from alphacut_core.errors import AlphacutError, OverloadedError, UnavailableError


class Calls:
    """The requests of one caller.

    Args:
        connection: Where they go.
        on_overload: Told of every full queue; who gives it waits and comes back instead of failing.
    """

    def __init__(self, connection: Connection, on_overload: Callable[[], None] | None = None) -> None:
        self.connection = connection
        self.on_overload = on_overload
        self._lock = threading.Lock()
        self._active: set[Attempt] = set()
        self._given_up = threading.Event()
        connection.enrol(self)

    def give_up(self) -> None:
        """Cancel everything under way, on the server too, and refuse to start more."""
        self._given_up.set()
        with self._lock:
            active = list(self._active)
        for attempt in active:
            attempt.call.cancel()

    @property
    def ended(self) -> bool:
        """Whether nobody wants further attempts."""
        return self._given_up.is_set() or self.connection.closed

    def lost(self) -> UnavailableError:
        """Return the error of what ended with them."""
        return self.connection.lost()

    def send(self, send: Send) -> PendingAnswer:
        """Send a request; ``PendingAnswer.response`` waits for the answer."""
        return PendingAnswer(self, send)

    def start(self, send: Send) -> Attempt:
        """Start one attempt."""
        attempt = self.connection.start(send.method, send.request, send.timeout_s)
        with self._lock:
            self._active.add(attempt)
        if self._given_up.is_set():
            attempt.call.cancel()
        return attempt

    def finish(self, attempt: Attempt) -> Any:
        """Wait for one attempt."""
        try:
            return self.connection.finish(attempt)
        finally:
            with self._lock:
                self._active.discard(attempt)

    def pause(self, duration_s: float) -> None:
        """Sleep between two attempts; ``give_up`` and ``Connection.close`` end it early."""
        self._given_up.wait(duration_s)


class PendingAnswer:
    """One request under way: a context manager that cancels what nobody waits for any more.

    While a restart can cure a failure, the request is sent again, as ``Backoff`` says.
    """

    def __init__(self, calls: Calls, send: Send) -> None:
        self._calls = calls
        self._send = send
        self._attempt = calls.start(send)

    def __enter__(self) -> PendingAnswer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._attempt.call.done():
            self._attempt.call.cancel()

    def response(self) -> Any:
        """Wait for the answer.

        Raises:
            AlphacutError: The failure that no retry can cure, or the last one when the time for retries is over.
        """
        backoff = self._calls.connection.backoff(patient=self._calls.on_overload is not None)
        while True:
            try:
                return self._calls.finish(self._attempt)
            except AlphacutError as error:
                if isinstance(error, OverloadedError) and self._calls.on_overload is not None:
                    self._calls.on_overload()
                pause_s = None if self._send.once else backoff.pause_s(error)
                if pause_s is None or self._calls.ended:
                    raise
            self._calls.pause(pause_s)
            if self._calls.ended:
                raise self._calls.lost()
            self._attempt = self._calls.start(self._send)
