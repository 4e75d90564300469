"""Connections on a real socket: who does not fetch an answer holds nothing for long."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from alphacut_gateway import Settings, create_app
from alphacut_gateway.admission import Budget
from alphacut_gateway.protocol import DeadlineConfig
from alphacut_gateway.sending import Sending

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

REQUEST = b"GET / HTTP/1.1\r\nHost: gw\r\n\r\n"
CHUNK = bytes(65_536)
LARGE = bytes(32 * 2**20)
"""More than systems buffer."""


class Endless:
    """An application whose answer has no end, until its caller has gone."""

    def __init__(self) -> None:
        self.n_chunks = 0
        self.left = asyncio.Event()

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        leaving = asyncio.ensure_future(receive())
        while not leaving.done():
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
            self.n_chunks += 1
            await asyncio.sleep(0)
        self.left.set()


@asynccontextmanager
async def served(app: Any, stall_timeout_s: float = 60, max_connections: int = 100) -> AsyncIterator[socket.socket]:
    """The socket that an application is served on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = DeadlineConfig(
            app,
            head_timeout_s=60,
            stall_timeout_s=stall_timeout_s,
            max_connections=max_connections,
            lifespan="off",
            log_config=None,
            access_log=False,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup([listener])
        try:
            yield listener
        finally:
            await server.shutdown([listener])


@asynccontextmanager
async def connected(app: Any, stall_timeout_s: float) -> AsyncIterator[tuple[asyncio.StreamReader, Any]]:
    """A connection that has sent a request."""
    async with served(app, stall_timeout_s) as listener:
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(REQUEST)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


def test_a_caller_who_stops_reading_is_cut_off() -> None:
    async def scenario() -> None:
        app = Endless()
        async with connected(app, 0.3) as (_, writer):
            writer.transport.pause_reading()
            await asyncio.wait_for(app.left.wait(), 30)
            assert app.n_chunks > 0

    asyncio.run(scenario())


def test_a_caller_who_reads_slowly_is_served_to_the_end() -> None:
    async def scenario() -> None:
        app = Endless()
        async with connected(app, 1.0) as (reader, _):
            for _ in range(30):  # for longer than the time in which something has to be fetched
                assert len(await reader.readexactly(40_000)) == 40_000
                await asyncio.sleep(0.1)  # what makes it slow
            assert not app.left.is_set()

    asyncio.run(scenario())


def test_an_answer_counts_as_under_way_until_it_is_fetched() -> None:
    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-length", str(len(LARGE)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": LARGE})

    async def scenario() -> None:
        budget = Budget(1, "bytes")
        async with connected(Sending(application, budget), 60) as (reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.transport.pause_reading()
            for _ in range(100):
                await asyncio.sleep(0.001)
                assert budget.held == len(LARGE)
            writer.transport.resume_reading()
            assert await reader.readexactly(len(LARGE)) == LARGE
            while budget.held:
                await asyncio.sleep(0.001)

    asyncio.run(scenario())


async def answered(connection: Connection, path: str = "/v1/models") -> tuple[int, bytes, bytes]:
    """Send a request; return the answer's status, head and body."""
    reader, writer = connection
    writer.write(b"POST" if "removebg" in path else b"GET")
    writer.write(f" {path} HTTP/1.1\r\nHost: gw\r\nContent-Length: 0\r\n\r\n".encode())
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).lower()
    n_bytes = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return int(head.split()[1]), head, await reader.readexactly(n_bytes)


def test_a_connection_too_many_is_told_when_to_come_back_and_keeps_nobody_else_out(predictor: Any) -> None:
    async def scenario() -> None:
        app = create_app(Settings(), predictor)
        async with app.router.lifespan_context(app), served(app, max_connections=1) as listener:
            silent = await asyncio.open_connection(*listener.getsockname())
            first = await asyncio.open_connection(*listener.getsockname())
            assert (await answered(first))[0] == 200
            second = await asyncio.open_connection(*listener.getsockname())
            status, head, body = await answered(second)
            assert (status, json.loads(body)["error"]["code"]) == (503, "busy")
            assert b"retry-after: 1\r\n" in head
            assert b"x-request-id" in head
            # Whoever decides by it whether this process lives is not to end it for having much to do.
            assert (await answered(second, "/healthz"))[0] == 200
            contract = json.loads((await answered(second, "/v1.0/removebg"))[2])
            assert contract["errors"][0]["code"] == "busy"
            status, _, numbers = await answered(first, "/metrics")
            assert status == 200
            assert b'errors_total{code="busy"} 2.0' in numbers
            first[1].close()
            while (await answered(second))[0] == 503:
                await asyncio.sleep(0.01)
            for _, writer in (silent, second):
                writer.close()

    asyncio.run(scenario())
