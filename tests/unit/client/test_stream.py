"""Streams of the blocking client: endless, ordered or not, with flat memory."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import grpc
import numpy as np
import pytest

from alphacut_client import Client
from alphacut_core.errors import UnsupportedImageError

Serve = Callable[..., Any]
Photo = Callable[..., bytes]


HELD = """
import io, itertools, sys
from PIL import Image
from alphacut_client import Client

file = io.BytesIO()
Image.new("RGB", (9, 9)).save(file, "png")
photos = itertools.chain([file.getvalue()], itertools.repeat(file.getvalue() + b"slow"))
client = Client(sys.argv[1], window=2, retry_for_s=1000)
stream = client.stream(photos, ordered=sys.argv[2] == "in order")
next(stream)
sys.stdin.readline()
"""


@pytest.mark.parametrize("order", ["in order", "as they come"])
@pytest.mark.parametrize("trouble", ["gone", "hangs"])
def test_a_stream_that_is_still_held_does_not_hold_up_the_interpreters_end(
    trouble: str, order: str, serve: Serve, respond: Callable[..., Any]
) -> None:
    in_trouble, over = threading.Event(), threading.Event()

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        if not request.raw_input_contents[0].endswith(b"slow"):
            return respond(request)
        in_trouble.set()
        assert trouble == "gone" or over.wait(120)
        return context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    command = [sys.executable, "-c", HELD, serve(answer).url, order]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            assert in_trouble.wait(60)
            assert process.communicate("end\n", timeout=30) == ("", "")
        finally:
            process.kill()
            over.set()
    assert process.returncode == 0


def test_an_endless_stream_is_read_no_further_ahead_than_twice_its_window(serve: Serve, photo: Photo) -> None:
    taken = itertools.count()
    latest = 0

    def endless() -> Iterator[bytes]:
        nonlocal latest
        for latest in taken:
            yield photo(20 + latest % 5)

    with Client(serve().url, window=4) as client, closing(client.stream(endless())) as stream:
        for seen, result in enumerate(itertools.islice(stream, 40)):
            assert isinstance(result, bytes)
            assert latest - seen < 2 * 4


def slow_until(event: threading.Event, respond: Callable[..., Any]) -> Callable[..., Any]:
    """Answer at once, except files that end in ``slow``: those when ``event`` is set."""

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        assert not request.raw_input_contents[0].endswith(b"slow") or event.wait(20)
        return respond(request)

    return answer


def test_an_ordered_stream_waits_for_a_slow_image(serve: Serve, photo: Photo, respond: Callable[..., Any]) -> None:
    others = threading.Semaphore(0)
    answered = threading.Event()

    def count(request: Any, context: grpc.ServicerContext) -> Any:
        if not request.raw_input_contents[0].endswith(b"slow"):
            others.release()
        return slow_until(answered, respond)(request, context)

    def set_after_the_others() -> None:
        assert all(others.acquire(timeout=20) for _ in range(2))
        answered.set()

    waiter = threading.Thread(target=set_after_the_others)
    waiter.start()
    with Client(serve(count).url, window=3) as client:
        streamed = list(client.stream([photo(20) + b"slow", photo(21), photo(22)]))
        assert streamed == client.remove_batch([photo(20), photo(21), photo(22)])
    waiter.join(20)


def test_an_unordered_stream_yields_what_is_there_first(
    serve: Serve, photo: Photo, respond: Callable[..., Any]
) -> None:
    seen = threading.Event()
    order = []
    with Client(serve(slow_until(seen, respond)).url, window=3) as client:
        for index, _ in client.stream([photo(20) + b"slow", photo(21), photo(22)], ordered=False):
            order.append(index)
            if len(order) == 2:
                seen.set()
    assert sorted(order[:2]) == [1, 2]
    assert order[2] == 0


def test_errors_take_the_place_of_their_images(serve: Serve, photo: Photo) -> None:
    with Client(serve().url, window=2) as client:
        results = list(client.stream([photo(), b"no picture", photo()], on_error="return"))
        assert isinstance(results[1], UnsupportedImageError)
        assert results[1].index == 1
        assert results[0] == results[2]
        with pytest.raises(UnsupportedImageError):
            list(client.stream([photo(), b"no picture"]))


def test_leaving_a_stream_early_cancels_what_is_under_way(
    serve: Serve, photo: Photo, hang: Any, respond: Callable[..., Any]
) -> None:
    first = iter([True])

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        return respond(request) if next(first, False) else hang(request, context)

    with Client(serve(answer).url, window=2) as client:
        stream = client.stream([photo()] * 9, ordered=False)
        next(stream)
        assert hang.arrived.wait(20)
        stream.close()
        assert hang.left.wait(20)


def test_a_prediction_needs_no_rendering(serve: Serve, photo: Photo, left_half: np.ndarray) -> None:
    server = serve()
    with Client(server.url) as client:
        from_file = client.predict(photo())
        from_pixels = client.predict(np.zeros((9, 9, 3), np.uint8))
    assert np.array_equal(from_file.mask, left_half)
    assert from_file.confidence == from_pixels.confidence == 0.75
    assert [request.model_name for request in server.requests] == ["remove_background", "u2netp"]
