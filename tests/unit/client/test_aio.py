"""The client for event loops, against servers whose masks are known and that fail on demand."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import grpc
import numpy as np
import pytest
from PIL import Image

from alphacut_client import AsyncClient, Client, StageTimes
from alphacut_core.errors import AlphacutError, UnavailableError, UndecodableImageError, UnsupportedImageError

Serve = Callable[..., Any]
Photo = Callable[..., bytes]


def test_it_makes_the_same_of_every_kind_as_the_blocking_client(serve: Serve, photo: Photo) -> None:
    url = serve().url
    picture = Image.new("RGB", (40, 30), (10, 20, 30))

    async def run() -> tuple[bytes, Image.Image, np.ndarray, bytes]:
        async with AsyncClient(url) as client:
            return (
                await client.remove(photo()),
                await client.remove(picture, background=(1, 2, 3, 255)),
                await client.remove(np.asarray(picture)),
                await client.mask(photo(), format="webp"),
            )

    file, pil, array, mask = asyncio.run(run())
    with Client(url) as client:
        assert file == client.remove(photo())
        assert pil == client.remove(picture, background=(1, 2, 3, 255))
        assert np.array_equal(array, client.remove(np.asarray(picture)))
        assert mask == client.mask(photo(), format="webp")


def test_a_prediction_is_the_engines_mask_and_confidence(serve: Serve, photo: Photo, left_half: np.ndarray) -> None:
    async def run() -> Any:
        async with AsyncClient(serve().url) as client:
            return await client.predict(photo())

    prediction = asyncio.run(run())
    assert np.array_equal(prediction.mask, left_half)
    assert prediction.confidence == 0.75


def test_a_batch_keeps_order_and_errors_in_their_places(serve: Serve, photo: Photo) -> None:
    images = [photo(20 + i) if i % 5 else b"no picture" for i in range(23)]

    async def run() -> list[Any]:
        async with AsyncClient(serve().url, window=4) as client:
            return await client.remove_batch(iter(images), on_error="return")

    results = asyncio.run(run())
    with Client(serve().url) as client:
        expected = client.remove_batch(images, on_error="return")
    assert len(results) == 23
    for index, (result, want) in enumerate(zip(results, expected, strict=True)):
        if index % 5:
            assert result == want
        else:
            assert isinstance(result, UnsupportedImageError)
            assert result.index == index


def test_the_first_error_of_a_batch_names_its_image_and_ends_it(serve: Serve, photo: Photo) -> None:
    async def run() -> None:
        async with AsyncClient(serve().url, window=3) as client:
            await client.remove_batch([photo(), photo()[:60], photo()])

    with pytest.raises(UndecodableImageError) as raised:
        asyncio.run(run())
    assert raised.value.index == 1


def test_the_other_errors_of_a_batch_that_ended_are_not_logged(serve: Serve) -> None:
    reported: list[Any] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["message"]))
        async with AsyncClient(serve().url, window=8) as client:
            with pytest.raises(UnsupportedImageError):
                await client.remove_batch([b"no picture"] * 8)
            async with aclosing(client.stream([b"no picture"] * 8, on_error="return")) as results:
                assert isinstance(await anext(results), UnsupportedImageError)
        gc.collect()

    asyncio.run(run())
    assert "Task exception was never retrieved" not in reported  # gRPC has others to report, where loops came before


def test_a_lost_server_is_asked_again_until_it_is_back(serve: Serve, photo: Photo, respond: Callable[..., Any]) -> None:
    failures = iter(range(3))

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        if next(failures, None) is not None:
            context.abort(grpc.StatusCode.UNAVAILABLE, "stopping")
        return respond(request)

    server = serve(answer)

    async def run() -> bytes:
        async with AsyncClient(server.url) as client:
            return await client.remove(photo())

    assert asyncio.run(run())
    assert len(server.requests) == 4


def test_a_cancelled_task_cancels_its_inference_on_the_server(serve: Serve, photo: Photo, hang: Any) -> None:
    server = serve(hang)

    async def run() -> None:
        async with AsyncClient(server.url) as client:
            task = asyncio.ensure_future(client.remove(photo()))
            await asyncio.to_thread(hang.arrived.wait, 20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(hang.left.wait, 20)

    asyncio.run(run())


def test_closing_ends_what_is_under_way_with_an_error(serve: Serve, photo: Photo, hang: Any) -> None:
    server = serve(hang)

    async def run() -> None:
        client = AsyncClient(server.url)
        task = asyncio.ensure_future(client.remove(photo()))
        await asyncio.to_thread(hang.arrived.wait, 20)
        await client.close()
        with pytest.raises(UnavailableError, match="closed"):
            await task
        with pytest.raises(RuntimeError, match="create a new AsyncClient"):
            await client.remove(photo())

    asyncio.run(run())


def test_a_broken_file_cancels_the_call_that_was_sent_for_it(serve: Serve, photo: Photo, hang: Any) -> None:
    server = serve(hang)

    async def run() -> None:
        async with AsyncClient(server.url) as client:
            with pytest.raises(UndecodableImageError):
                await client.remove(photo(200, 200)[:-60])

    asyncio.run(run())
    assert not hang.arrived.is_set() or hang.left.wait(20)


def test_the_loop_stays_free_while_pictures_are_decoded(serve: Serve, photo: Photo) -> None:
    on_loop: list[str] = []

    async def run() -> StageTimes:
        loop_thread = threading.current_thread().name

        def watch(stage: str, _seconds: float) -> None:
            if threading.current_thread().name == loop_thread:
                on_loop.append(stage)

        async with AsyncClient(serve().url, observer=watch) as client:
            await client.remove(photo())

    asyncio.run(run())
    assert on_loop == ["wait"]


def test_a_stream_takes_no_more_than_twice_its_window_ahead_and_stops_when_left(serve: Serve, photo: Photo) -> None:
    taken = 0
    closed = False

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken, closed
        try:
            while True:
                taken += 1
                yield photo(20 + taken % 7)
        finally:
            closed = True

    async def run() -> int:
        seen = 0
        async with AsyncClient(serve().url, window=5) as client, aclosing(client.stream(endless())) as stream:
            async for result in stream:
                assert isinstance(result, bytes)
                seen += 1
                assert taken - seen <= 2 * 5
                if seen == 30:
                    break
        return seen

    assert asyncio.run(run()) == 30
    assert closed


def test_progress_counts_to_the_end(serve: Serve, photo: Photo) -> None:
    told: list[int] = []

    async def run() -> None:
        async with AsyncClient(serve().url) as client:
            await client.mask_batch([photo()] * 5, progress=told.append)

    asyncio.run(run())
    assert told == [1, 2, 3, 4, 5]


def test_without_a_running_loop_none_is_made(serve: Serve) -> None:
    with pytest.raises(RuntimeError, match="none runs here; create it in a coroutine"):
        AsyncClient(serve().url)


def test_another_loop_than_its_own_is_told_so(serve: Serve, photo: Photo) -> None:
    async def make() -> AsyncClient:
        client = AsyncClient(serve().url)
        await client.remove(photo())
        return client

    async def use(client: AsyncClient) -> None:
        for call in (client.remove(photo()), client.remove_batch([photo()]), client.models()):
            with pytest.raises(RuntimeError, match="belongs to another event loop; create one on the loop that uses"):
                await call

    client = asyncio.run(make())
    asyncio.run(use(client))


def test_health_and_window_are_checked_as_in_the_blocking_client(serve: Serve) -> None:
    async def run() -> str:
        async with AsyncClient(serve().url) as client:
            return (await client.health()).server

    assert asyncio.run(run()) == "triton 2.51.0"
    with pytest.raises(ValueError, match="at least 1 image"):
        AsyncClient("127.0.0.1:1", window=0)
    assert issubclass(UnavailableError, AlphacutError)
