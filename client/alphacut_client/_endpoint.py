"""What connections of both kinds share: when a channel is opened anew, and what a failure means."""

from __future__ import annotations

import os
import time
from types import ModuleType
from typing import Any

import grpc
from tritonclient.grpc import service_pb2_grpc

from alphacut_client import _faults
from alphacut_client._channel import open_channel
from alphacut_client._lookup import Lookup
from alphacut_client._metadata import Metadata, metadata
from alphacut_client._retry import Backoff, RetryBudget
from alphacut_client._target import endpoints
from alphacut_client.settings import Settings
from alphacut_core.errors import AlphacutError, OverloadedError, UnavailableError

_INHERITED: list[Any] = []
"""Channels of a parent process. They must never be touched again, and being destroyed would touch them."""

_NEW_LATENCY_SHARE = 0.2
_HINT_LATENCIES = 2.0
_HINT_S = (0.5, 30.0)


class Endpoint:
    """A channel to one server or several, and what is known of it.

    Args:
        settings: Where to, and how.
        kind: The client's class, for messages.
        api: ``grpc`` or ``grpc.aio``.

    Attributes:
        active: Attempts under way.
        closed: Whether ``close`` was called.
    """

    def __init__(self, settings: Settings, kind: str, api: ModuleType) -> None:
        self.settings = settings
        self.closed = False
        self.active = 0
        self._kind = kind
        self._api = api
        self._open()

    def _open(self) -> None:
        self._pid = os.getpid()
        self._budget = RetryBudget()
        self._latency_s = 0.0
        self._lookup = Lookup(endpoints(self.settings.url))
        self._renew()

    def _renew(self) -> None:
        """Open another channel; calls that are under way keep theirs until their own ends."""
        self._channel = open_channel(self._lookup.target, self.settings, self._api)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        self._heard_at = time.monotonic()

    def check_open(self) -> None:
        """Refuse work after ``close``, with a RuntimeError."""
        if self.closed:
            raise RuntimeError(f"the client of {self.settings.address} is closed; create a new {self._kind}")

    def method(self, name: str) -> Any:
        """Return a method of the inference service; in a forked child, over a channel of its own.

        Raises:
            UnavailableError: The connection was closed meanwhile.
        """
        if self.closed:
            raise self.lost()
        if os.getpid() != self._pid:
            self._open()
        elif self._lookup.moved():
            self._renew()
        return getattr(self._stub, name)

    def forget(self) -> None:
        """Leave the parent's channel alone, in a forked child; the first call opens another."""
        _INHERITED.append((self._channel, self._stub))
        self.active = 0

    def headers(self) -> Metadata:
        """Return what travels beside an attempt."""
        return metadata(self.settings)

    def backoff(self, *, patient: bool) -> Backoff:
        """Return the retries of one request."""
        return Backoff(self.settings.retry_for_s, self._budget, patient=patient, several=self.settings.several)

    def heard(self, started: float) -> None:
        """Note an answer to an attempt of that time; good or bad, it proves the connection."""
        self._heard_at = time.monotonic()
        share = _NEW_LATENCY_SHARE if self._latency_s else 1.0
        self._latency_s += share * (self._heard_at - started - self._latency_s)

    def fault(self, status: grpc.StatusCode, details: str, started: float) -> AlphacutError:
        """Return the error that a failed attempt stands for, and draw the consequences.

        Args:
            status: gRPC's.
            details: gRPC's.
            started: When the attempt began, by ``time.monotonic``.
        """
        if self.closed:
            return self.lost()
        if status is grpc.StatusCode.DEADLINE_EXCEEDED:
            if self._heard_at < started and not self.settings.several:
                # Nothing came over this connection for a whole deadline. Where the network swallows packets or a
                # proxy hangs, it never will.
                self._renew()
        elif status is not grpc.StatusCode.UNAVAILABLE:
            self._heard_at = time.monotonic()
        error = _faults.from_status(status, details, self.settings.address)
        if isinstance(error, OverloadedError):
            shortest_s, longest_s = _HINT_S
            error.retry_after_s = min(longest_s, max(shortest_s, _HINT_LATENCIES * self._latency_s))
        return error

    def lost(self) -> UnavailableError:
        """Return the error of what was under way when the client was closed, or its caller gave it up."""
        ended = "client of {} was closed" if self.closed else "call to {} was given up"
        return UnavailableError(f"the {ended.format(self.settings.address)} before its answer came")
