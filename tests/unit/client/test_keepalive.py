"""Keep-alive that servers put up with: pings are counted on the wire, before a server as strict as Triton.

Triton allows a ping every 300 s and three that come sooner; one too many and it ends the connection with GOAWAY
("too_many_pings"). Here all times are 200 times shorter, in the same proportion.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from alphacut_client import Client
from alphacut_client.settings import Settings
from tests.faulty_proxy import FaultyProxy

Serve = Callable[..., Any]
Photo = Callable[..., bytes]

TRITON_INTERVAL_S = 300.0  # --grpc-http2-min-recv-ping-interval-without-data, default
TRITON_STRIKES = 2  # --grpc-http2-max-ping-strikes, default
FASTER = 200
STRICT = [
    ("grpc.http2.min_ping_interval_without_data_ms", int(1000 * TRITON_INTERVAL_S / FASTER)),
    ("grpc.http2.max_ping_strikes", TRITON_STRIKES),
]

_PREFACE_BYTES = 24
_HEADER_BYTES = 9
_PING, _GOAWAY = 6, 7
_ACK = 1


class Frames:
    """Counts what matters here of one connection's HTTP/2 frames."""

    def __init__(self) -> None:
        self._rest = {True: b"", False: b""}
        self._skip = {True: _PREFACE_BYTES, False: 0}
        self._changed = threading.Condition()
        self.pings = 0
        self.goaways = 0

    def __call__(self, data: bytes, to_server: bool) -> None:
        rest = self._rest[to_server] + data
        skipped = min(self._skip[to_server], len(rest))
        self._skip[to_server] -= skipped
        rest = rest[skipped:]
        with self._changed:
            while len(rest) >= _HEADER_BYTES:
                end = _HEADER_BYTES + int.from_bytes(rest[:3], "big")
                if len(rest) < end:
                    break
                kind, flags = rest[3], rest[4]
                self.pings += to_server and kind == _PING and not flags & _ACK
                self.goaways += not to_server and kind == _GOAWAY
                rest = rest[end:]
            self._changed.notify_all()
        self._rest[to_server] = rest

    def wait_for(self, seen: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(seen, 60)


@pytest.fixture
def watched() -> Iterator[Callable[[int], tuple[FaultyProxy, Frames]]]:
    """Put a proxy in front of a port and watch the frames of its one connection."""
    proxies: list[FaultyProxy] = []

    def start(port: int) -> tuple[FaultyProxy, Frames]:
        proxy, frames = FaultyProxy(port), Frames()
        proxy.watch = frames
        proxies.append(proxy)
        return proxy, frames

    yield start
    for proxy in proxies:
        proxy.close()


def impolite(url: str) -> grpc.Channel:
    """Open a channel that pings every second, whether it waits for anything or not."""
    options = [
        ("grpc.keepalive_time_ms", 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    return grpc.insecure_channel(url, options=options)


def test_clients_that_wait_or_rest_keep_connections_that_others_lose(
    serve: Serve, photo: Photo, respond: Callable[..., Any], watched: Callable[[int], tuple[FaultyProxy, Frames]]
) -> None:
    done = threading.Event()

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        assert not request.raw_input_contents[0].endswith(b"slow") or done.wait(60)
        return respond(request)

    server = serve(answer, options=STRICT)
    (busy, seen), (idle, seen_idle), (others, seen_others) = (watched(server.port) for _ in range(3))
    keepalive_s = Settings().keepalive_s / FASTER
    with (
        Client(busy.url, keepalive_s=keepalive_s) as waiting,
        Client(idle.url, keepalive_s=keepalive_s) as resting,
        ThreadPoolExecutor(1) as caller,
    ):
        resting.mask(photo())
        slow = caller.submit(waiting.mask, photo() + b"slow")
        seen.wait_for(lambda: seen.pings > 0)
        with impolite(others.url) as channel:
            grpc.channel_ready_future(channel).result(60)
            seen_others.wait_for(lambda: seen_others.goaways > 0)
        assert seen_others.pings == TRITON_STRIKES + 2  # the first is always allowed
        seen.wait_for(lambda: seen.pings > 1)
        done.set()
        assert slow.result(60) == waiting.mask(photo())
        assert resting.mask(photo())
    assert (seen.goaways, busy.accepted) == (0, 1)
    assert (seen_idle.goaways, idle.accepted) == (0, 1)
    assert seen_idle.pings <= 2  # one for each answer, by which gRPC measures the connection


def test_pings_are_rarer_than_triton_forbids() -> None:
    assert Settings().keepalive_s > TRITON_INTERVAL_S
