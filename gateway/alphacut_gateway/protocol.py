"""HTTP/1.1 with limits that uvicorn lacks: on how long heads take, how slowly answers are fetched, how many connect."""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from alphacut_gateway.guard import FULL

_LEAST_BYTES = 16 * 1024


class DeadlineProtocol(H11Protocol):
    """Uvicorn's protocol, closing connections that are silent or slow before a request has begun, or after its answer.

    The time of the first is ``DeadlineConfig.head_timeout_s``: from connecting, or from the answer before, to the end
    of the next request's head. Of an answer that is larger than buffers are, 16 KiB have to be fetched in each
    ``DeadlineConfig.stall_timeout_s``: what is not fetched is held in memory, and with it what it is made of.

    A connection is let in when it first sends something, if fewer than ``DeadlineConfig.max_connections`` are, and
    stays so to its end. Others' requests are passed on with ``FULL`` in their state; each is another try to be let in.
    """

    config: DeadlineConfig
    _timer: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a head."""
        super().connection_made(transport)
        self._expect_head()

    def handle_events(self) -> None:
        """Let the connection in if there is room; stop waiting once a request has begun."""
        let_in = self.config.let_in
        if len(let_in) < self.config.max_connections:
            let_in.add(self)
        self.app_state = {**self.app_state, FULL: self not in let_in}
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()

    def on_response_complete(self) -> None:
        """Expect the next head."""
        self._expect_head()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more, and make room."""
        self.config.let_in.discard(self)
        self._stop()
        self._stop_watching()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Watch whether the answer is fetched."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Go on with an answer that is fetched."""
        self._stop_watching()
        super().resume_writing()

    def _watch(self) -> None:
        self._stall = self.loop.call_later(self.config.stall_timeout_s, self._judge, self._unfetched_bytes())

    def _judge(self, before_bytes: int) -> None:
        if before_bytes - self._unfetched_bytes() < _LEAST_BYTES:
            self.transport.abort()  # close() would wait for what is not fetched
        else:
            self._watch()

    def _stop_watching(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _unfetched_bytes(self) -> int:
        # The system takes more only when much of its own buffer has gone, however steadily a slow caller reads.
        sending = fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        return int(self.transport.get_write_buffer_size() + struct.unpack("=i", sending)[0])

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
        stall_timeout_s: Seconds in which something of an answer has to be fetched.
        max_connections: How many connections of each process are let in.
        **settings: Uvicorn's own.
    """

    def __init__(
        self, app: Any, *, head_timeout_s: float, stall_timeout_s: float, max_connections: int, **settings: Any
    ) -> None:
        # No connection goes over to another protocol, which would not know of the bounds.
        super().__init__(app, http=DeadlineProtocol, ws="none", **settings)
        self.head_timeout_s = head_timeout_s
        self.stall_timeout_s = stall_timeout_s
        self.max_connections = max_connections
        self.let_in: set[DeadlineProtocol] = set()
