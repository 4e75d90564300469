"""HTTP/1.1 with a deadline for a request's head, which uvicorn's has not."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


def with_deadline(head_timeout_s: float) -> type[H11Protocol]:
    """Return uvicorn's protocol, closing connections that are silent or slow before a request has begun.

    Args:
        head_timeout_s: Seconds from connecting, or from the answer before, to the end of the next request's head.
    """

    class DeadlineProtocol(H11Protocol):
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._expect_head()

        def handle_events(self) -> None:
            super().handle_events()
            if self.cycle is not None and not self.cycle.response_complete:
                self._stop()

        def on_response_complete(self) -> None:
            self._expect_head()
            super().on_response_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def _expect_head(self) -> None:
            self._stop()
            self._timer = self.loop.call_later(head_timeout_s, self.transport.close)

        def _stop(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return DeadlineProtocol
