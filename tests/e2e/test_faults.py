"""Batches and streams through everything that goes wrong: every image is answered once, in its place.

The small versions run with the suite, the large ones with ``make test-faults``.
"""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from alphacut_client import AsyncClient, Client
from alphacut_core.errors import AlphacutError
from tests.faulty_proxy import FaultyProxy

pytestmark = pytest.mark.triton

_COLUMNS = 40
_GROWTH_BYTES = 200 * 2**20
_RETRY_FOR_S = 300.0  # a loaded machine starts Triton slowly

small = pytest.param(100, 1, id="100")
large = pytest.param(1000, 3, id="1000", marks=pytest.mark.faults)


def picture(index: int) -> bytes:
    """An image file whose size says which it is."""
    rng = np.random.default_rng(index)
    pixels = rng.integers(0, 255, (40 + index // _COLUMNS % 200, 40 + index % _COLUMNS, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def shape(file: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(file)) as image:
        return image.size


class Watch:
    """Counts what was told, does something now and then, and keeps an eye on memory."""

    def __init__(self, images: int, events: list[Callable[[], None]]) -> None:
        self.told: list[int] = []
        self._at = {(number + 1) * images // (len(events) + 1): event for number, event in enumerate(events)}
        self._process = psutil.Process()
        self._least_bytes = self.growth_bytes = 0

    def __call__(self, finished: int) -> None:
        self.told.append(finished)
        if finished in self._at:
            self._at[finished]()
        if finished % 10 == 0:
            used_bytes = self._process.memory_info().rss
            # Memory that falls, because tests before this one left something to be freed, is no growth.
            self._least_bytes = min(self._least_bytes or used_bytes, used_bytes)
            self.growth_bytes = max(self.growth_bytes, used_bytes - self._least_bytes)

    def check(self, images: int) -> None:
        assert self.told == list(range(1, images + 1))
        assert self.growth_bytes < _GROWTH_BYTES


def survive(url: Any, images: int, events: list[Callable[[], None]], **settings: Any) -> None:
    """Cut out so many images while ``events`` happen; all must come back, each in its place."""
    watch = Watch(images, events)
    with Client(url, mode="lite", retry_for_s=_RETRY_FOR_S, **settings) as client:
        results = client.remove_batch(map(picture, range(images)), progress=watch)
    assert [shape(file) for file in results] == [shape(picture(index)) for index in range(images)]
    watch.check(images)


@pytest.mark.parametrize(("images", "kills"), [small, large])
def test_a_server_that_is_killed_and_restarted_costs_no_image(
    images: int, kills: int, start_server: Callable[..., Any]
) -> None:
    server = start_server("--tier", "lite")
    survive(server.url, images, [lambda: server.triton().kill()] * kills)


def test_a_server_that_is_killed_costs_the_asynchronous_client_no_image_either(
    start_server: Callable[..., Any],
) -> None:
    server = start_server("--tier", "lite")
    watch = Watch(100, [lambda: server.triton().kill()])

    async def run() -> list[bytes]:
        async with AsyncClient(server.url, mode="lite", retry_for_s=_RETRY_FOR_S) as client:
            return await client.remove_batch(map(picture, range(100)), progress=watch)

    assert [shape(file) for file in asyncio.run(run())] == [shape(picture(index)) for index in range(100)]
    watch.check(100)


@pytest.fixture
def proxy(server_url: str) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(int(server_url.rpartition(":")[2]))
    yield proxy
    proxy.close()


@pytest.mark.parametrize(("images", "rounds"), [small, large])
def test_connections_that_are_cut_stalled_and_slowed_cost_no_image(
    images: int, rounds: int, proxy: FaultyProxy
) -> None:
    timers: list[threading.Timer] = []

    def stall() -> None:
        proxy.freeze()
        timers.append(threading.Timer(3.0, proxy.thaw))  # the fault's own length
        timers[-1].start()

    def slow() -> None:
        proxy.bytes_per_s = 500_000.0

    def quick() -> None:
        proxy.bytes_per_s = None

    survive(proxy.url, images, [proxy.cut, stall, slow, proxy.cut, quick] * rounds)
    for timer in timers:
        timer.join()
    assert proxy.accepted >= 1 + 2 * rounds


@pytest.mark.parametrize(("images", "kills"), [small, large])
def test_one_of_two_replicas_that_disappears_costs_no_image(
    images: int, kills: int, server_url: str, start_server: Callable[..., Any]
) -> None:
    replica = start_server("--tier", "lite")
    survive([server_url, replica.url], images, [replica.process.kill])


@pytest.mark.parametrize("images", [pytest.param(300, id="300"), pytest.param(10_000, marks=pytest.mark.faults)])
def test_a_long_stream_keeps_memory_flat(images: int, server_url: str) -> None:
    watch = Watch(images, [])
    with Client(server_url, mode="lite", retry_for_s=_RETRY_FOR_S) as client:
        for index, result in enumerate(client.stream(map(picture, range(images)))):
            assert shape(result) == shape(picture(index))
            watch(index + 1)
    watch.check(images)


def test_leaving_a_stream_frees_the_server(server_url: str) -> None:
    """Photographs large enough that most still wait to be decoded when the first answer comes."""
    pixels = np.random.default_rng(0).integers(0, 255, (1500, 1500, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    with Client(server_url, window=48) as client:
        before = client.statistics()["u2netp"].inferences
        stream = client.stream([buffer.getvalue()] * 48, on_error="return", ordered=False)
        assert not isinstance(next(stream)[1], AlphacutError)
        stream.close()
        client.health()  # comes behind whatever the server still does for nobody
        assert client.statistics()["u2netp"].inferences - before < 40
