"""Closing a client ends what is under way, wherever it is, with one kind of error."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from alphacut_client import AsyncClient, Client
from alphacut_core import processors
from alphacut_core.errors import DeadlineError, UnavailableError

Serve = Callable[..., Any]
Photo = Callable[..., bytes]

N_IMAGES = 6


def ended_by_closing(error: object) -> bool:
    return isinstance(error, UnavailableError) and "was closed before its answer came" in str(error)


class Silence:
    """An answer that comes to nobody before the test is over."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.over = threading.Event()

    def __call__(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.arrived.set()
        self.over.wait(60)
        context.abort(grpc.StatusCode.CANCELLED, "the test is over")


@pytest.fixture
def silence(serve: Serve) -> Iterator[Silence]:
    """Ends before the servers, which wait for their answers."""
    silence = Silence()
    yield silence
    silence.over.set()


@pytest.fixture
def pausing(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Is set when a request begins to wait for its next attempt, which comes in five minutes."""
    begun = threading.Event()

    def draw(_low: float, _high: float) -> float:
        begun.set()
        return 300.0

    monkeypatch.setattr("alphacut_client._retry.random.uniform", draw)
    return begun


def restarting(request: Any, context: grpc.ServicerContext) -> Any:
    context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")


async def close_ends(client: AsyncClient, asked: asyncio.Future[Any]) -> None:
    await client.close()
    done, _ = await asyncio.wait({asked}, timeout=20)
    assert done
    assert ended_by_closing(asked.exception())


def test_a_pause_between_two_attempts_ends(serve: Serve, photo: Photo, pausing: threading.Event) -> None:
    client = Client(serve(restarting).url, retry_for_s=1000)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.mask, photo())
        assert pausing.wait(20)
        client.close()
        assert ended_by_closing(asked.exception(20))


def test_a_pause_on_an_event_loop_ends(serve: Serve, photo: Photo, pausing: threading.Event) -> None:
    async def run() -> None:
        client = AsyncClient(serve(restarting).url, retry_for_s=1000)
        asked = asyncio.ensure_future(client.mask(photo()))
        assert await asyncio.to_thread(pausing.wait, 20)
        await close_ends(client, asked)

    asyncio.run(run())


def test_calls_over_a_connection_that_was_replaced_end(serve: Serve, photo: Photo, silence: Silence) -> None:
    client = Client(serve(silence).url, timeout_s=300)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.mask, photo())
        assert silence.arrived.wait(20)
        with pytest.raises(DeadlineError):  # a whole deadline without a sign: the connection is given up
            client.mask(photo(), timeout_s=0.3)
        assert not asked.done()
        client.close()
        assert ended_by_closing(asked.exception(20))


def test_calls_over_a_connection_that_an_event_loop_replaced_end(serve: Serve, photo: Photo, silence: Silence) -> None:
    async def run() -> None:
        client = AsyncClient(serve(silence).url, timeout_s=300)
        asked = asyncio.ensure_future(client.mask(photo()))
        assert await asyncio.to_thread(silence.arrived.wait, 20)
        with pytest.raises(DeadlineError):
            await client.mask(photo(), timeout_s=0.3)
        assert not asked.done()
        await close_ends(client, asked)

    asyncio.run(run())


def test_every_image_of_a_batch_gets_its_error(serve: Serve, photo: Photo, hang: Any) -> None:
    client = Client(serve(hang).url, window=2)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.mask_batch, [photo()] * N_IMAGES, on_error="return")
        assert hang.arrived.wait(20)
        client.close()
        results = asked.result(20)
    assert [ended_by_closing(result) for result in results] == [True] * N_IMAGES
    assert [result.index for result in results] == list(range(N_IMAGES))


def test_every_image_of_a_batch_on_an_event_loop_gets_its_error(serve: Serve, photo: Photo, hang: Any) -> None:
    async def run() -> list[Any]:
        client = AsyncClient(serve(hang).url, window=2)
        asked = asyncio.ensure_future(client.mask_batch([photo()] * N_IMAGES, on_error="return"))
        assert await asyncio.to_thread(hang.arrived.wait, 20)
        await client.close()
        return await asked

    assert [ended_by_closing(result) for result in asyncio.run(run())] == [True] * N_IMAGES


def test_what_waits_for_a_thread_of_the_event_loops_client_is_not_taken_for_cancelled(
    serve: Serve, photo: Photo
) -> None:
    n_threads = processors.count()
    reading, over = threading.Semaphore(0), threading.Event()

    class SlowFile(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            reading.release()
            assert over.wait(20)
            return super().read(size)

    async def run() -> list[Any]:
        client = AsyncClient(serve().url)
        tasks = [asyncio.ensure_future(client.mask(SlowFile(photo()))) for _ in range(n_threads + 3)]
        for _ in range(n_threads):
            assert await asyncio.to_thread(reading.acquire, timeout=20)
        await client.close()
        over.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [ended_by_closing(result) for result in asyncio.run(run())] == [True] * (n_threads + 3)


def test_what_is_asked_afterwards_is_refused_at_once(serve: Serve, photo: Photo) -> None:
    client = Client(serve().url)
    client.close()
    asked: list[Callable[[], Any]] = [
        lambda: client.mask(photo()),
        lambda: client.mask_batch([photo()], on_error="return"),
        lambda: client.stream([photo()], on_error="return"),
    ]
    for ask in asked:
        with pytest.raises(RuntimeError, match="create a new Client"):
            ask()


def test_what_is_asked_afterwards_on_an_event_loop_is_refused_at_once(serve: Serve, photo: Photo) -> None:
    async def run() -> None:
        client = AsyncClient(serve().url)
        await client.close()
        with pytest.raises(RuntimeError, match="create a new AsyncClient"):
            await client.mask_batch([photo()], on_error="return")
        with pytest.raises(RuntimeError, match="create a new AsyncClient"):
            client.stream([photo()], on_error="return")

    asyncio.run(run())
