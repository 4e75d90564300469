"""HTTP/1.1 with a deadline for a request's head, which uvicorn's has not."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol


class DeadlineProtocol(H11Protocol):
    """Uvicorn's protocol, closing connections that are silent or slow before a request has begun.

    The time is ``DeadlineConfig.head_timeout_s``: from connecting, or from the answer before, to the end of the next
    request's head.
    """

    config: DeadlineConfig
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a head."""
        super().connection_made(transport)
        self._expect_head()

    def handle_events(self) -> None:
        """Stop waiting once a request has begun."""
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()

    def on_response_complete(self) -> None:
        """Expect the next head."""
        self._expect_head()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._stop()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._stop()
        self._timer = self.loop.call_later(self.config.head_timeout_s, self.transport.close)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class DeadlineConfig(uvicorn.Config):
    """Uvicorn's settings, which go to worker processes as they are.

    Args:
        app: What to serve, or how to import it.
        head_timeout_s: Seconds until a request's head has to be there.
        **settings: Uvicorn's own.
    """

    def __init__(self, app: Any, *, head_timeout_s: float, **settings: Any) -> None:
        super().__init__(app, http=DeadlineProtocol, **settings)
        self.head_timeout_s = head_timeout_s
