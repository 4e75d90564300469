"""Calls from threads: one attempt at a time."""

from __future__ import annotations

import threading
import time
from typing import Any, Protocol
from weakref import WeakSet

import grpc

from alphacut_client import _fork
from alphacut_client._endpoint import Endpoint
from alphacut_client.settings import Settings


class Attempt:
    """One call under way."""

    def __init__(self, call: Any, started: float) -> None:
        self.call = call
        self.started = started


class Caller(Protocol):
    """Who has calls under way, or waits before the next."""

    def give_up(self) -> None:
        """Cancel everything, and start no more."""


class Connection(Endpoint):
    """A channel; all methods may be called from several threads at once, and in forked children."""

    def __init__(self, settings: Settings) -> None:
        self._begin()
        super().__init__(settings, "Client", grpc)
        _fork.watch(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._held = False
        self._callers: WeakSet[Caller] = WeakSet()

    def enrol(self, caller: Caller) -> None:
        """Have ``caller`` give up on ``close``, for as long as it lives."""
        with self._lock:
            self._callers.add(caller)

    def hold(self, longest_s: float) -> None:
        """Let nothing new begin, and wait so long until nothing is under way; ``release`` ends it."""
        with self._changed:
            self._held = True
            self._changed.wait_for(lambda: not self.active, longest_s)
        self._lookup.hold(longest_s)

    def release(self) -> None:
        """Let calls begin again."""
        self._lookup.release()
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def inherit(self) -> None:
        """Begin anew in a forked child."""
        self._begin()
        self.forget()

    def start(self, method: str, request: Any, timeout_s: float) -> Attempt:
        """Start one call of the inference service.

        Raises:
            UnavailableError: The connection was closed meanwhile.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._held)
            self.active += 1
        started = time.monotonic()
        try:
            with self._lock:  # in a forked child others have to wait for the channel, or they would take the parent's
                ask = self.method(method)
            call = ask.future(request, timeout=timeout_s, metadata=self.headers())
        except BaseException as error:
            self._ended()
            if isinstance(error, ValueError) and self.closed:  # by another thread in this moment
                raise self.lost() from error
            raise
        call.add_done_callback(self._ended)
        return Attempt(call, started)

    def finish(self, attempt: Attempt) -> Any:
        """Wait for a call and return its response.

        Raises:
            AlphacutError: The one error that the failed call stands for.
        """
        call = attempt.call
        try:
            response = call.result()
        except grpc.FutureCancelledError as error:
            raise self.lost() from error
        except grpc.RpcError as error:
            with self._lock:
                fault = self.fault(call.code(), call.details() or "", attempt.started)
            raise fault from error
        with self._lock:
            self.heard(attempt.started)
        return response

    def _ended(self, _: Any = None) -> None:
        with self._changed:
            self.active -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Cancel what is under way and close the channel; closing twice is fine."""
        self.closed = True
        with self._lock:
            callers = list(self._callers)
        for caller in callers:  # they may pause, or wait for calls over a channel that was replaced
            caller.give_up()
        self._channel.close()
