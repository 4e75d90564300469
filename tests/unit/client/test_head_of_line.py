"""One slow image holds up nobody but itself, in both clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from alphacut_client import AsyncClient, Client

Serve = Callable[..., Any]
Photo = Callable[..., bytes]
WINDOW = 3


class SlowFirst:
    """Answers files that end in ``slow`` when so many others have been answered."""

    def __init__(self, others: int, respond: Callable[..., Any]) -> None:
        self._left = others
        self._respond = respond
        self._changed = threading.Condition()

    def __call__(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._changed:
            if request.raw_input_contents[0].endswith(b"slow"):
                assert self._changed.wait_for(lambda: self._left <= 0, 60)
            self._left -= 1
            self._changed.notify_all()
        return self._respond(request)


def batch(url: str, images: list[bytes], asynchronous: bool) -> list[bytes]:
    async def run() -> list[bytes]:
        async with AsyncClient(url, window=WINDOW) as client:
            return await client.remove_batch(images)

    if asynchronous:
        return asyncio.run(run())
    with Client(url, window=WINDOW) as client:
        return client.remove_batch(images)


def stream(url: str, images: list[bytes], asynchronous: bool, *, ordered: Any) -> list[Any]:
    async def run() -> list[Any]:
        async with AsyncClient(url, window=WINDOW) as client:
            return [result async for result in client.stream(images, ordered=ordered)]

    if asynchronous:
        return asyncio.run(run())
    with Client(url, window=WINDOW) as client:
        return list(client.stream(images, ordered=ordered))


@pytest.fixture
def images(photo: Photo) -> list[bytes]:
    """Twelve of different sizes, the first of them slow."""
    return [photo(20) + b"slow", *(photo(21 + number) for number in range(11))]


@pytest.fixture
def expected(serve: Serve, images: list[bytes]) -> list[bytes]:
    with Client(serve().url) as client:
        return [client.remove(image) for image in images]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["threads", "event loop"])
def test_a_batch_goes_on_to_its_end_beside_a_slow_first_image(
    asynchronous: bool, serve: Serve, respond: Callable[..., Any], images: list[bytes], expected: list[bytes]
) -> None:
    server = serve(SlowFirst(11, respond))
    assert batch(server.url, images, asynchronous) == expected


@pytest.mark.parametrize("asynchronous", [False, True], ids=["threads", "event loop"])
def test_a_stream_in_order_goes_on_to_twice_its_window_beside_a_slow_first_image(
    asynchronous: bool, serve: Serve, respond: Callable[..., Any], images: list[bytes], expected: list[bytes]
) -> None:
    server = serve(SlowFirst(2 * WINDOW - 1, respond))
    assert stream(server.url, images, asynchronous, ordered=True) == expected


@pytest.mark.parametrize("asynchronous", [False, True], ids=["threads", "event loop"])
def test_a_stream_as_completed_yields_a_slow_first_image_with_the_last(
    asynchronous: bool, serve: Serve, respond: Callable[..., Any], images: list[bytes], expected: list[bytes]
) -> None:
    server = serve(SlowFirst(11, respond))
    found = stream(server.url, images, asynchronous, ordered=False)
    assert [index for index, _ in found].index(0) >= len(images) - WINDOW
    assert sorted(found) == list(enumerate(expected))
