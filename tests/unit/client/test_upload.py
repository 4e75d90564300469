"""Who decodes: the same result whoever does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from alphacut_client import Client
from alphacut_client._upload import sends_pixels
from alphacut_core import processors, steps
from alphacut_core.limits import DEFAULT_LIMITS
from alphacut_core.options import Options

Serve = Callable[..., Any]
Photo = Callable[..., bytes]
IDLE = 0
BUSY = 2 * processors.count() + 1


@pytest.mark.parametrize("decode", ["exact", "fast"])
@pytest.mark.parametrize("method", ["remove", "mask", "predict"])
def test_pixels_are_those_that_the_server_would_have_made(method: str, decode: Any, serve: Serve, photo: Photo) -> None:
    server = serve()
    data = photo(1500, 1100, "JPEG")
    with Client(server.url, upload="pixels") as client:
        from_pixels = getattr(client, method)(data, decode=decode)
        from_file = getattr(client, method)(data, decode=decode, upload="encoded")
    pixels, file = server.requests
    assert pixels.model_name == "u2netp"
    assert file.model_name == "remove_background"
    made_there = steps.preprocess(data, Options(decode=decode), 320, DEFAULT_LIMITS)
    assert pixels.raw_input_contents[0] == made_there.tobytes()
    assert getattr(from_pixels, "confidence", from_pixels) == getattr(from_file, "confidence", from_file)


@pytest.mark.parametrize(
    ("file_bytes", "waiting", "pixels"),
    [
        pytest.param(100_000, IDLE, False, id="light file, idle server"),
        pytest.param(307_200, IDLE, False, id="as heavy as the square"),
        pytest.param(307_201, IDLE, True, id="heavier than the square"),
        pytest.param(100_000, BUSY, True, id="busy server"),
    ],
)
def test_auto_sends_what_is_less_or_spares_a_busy_server(file_bytes: int, waiting: int, pixels: bool) -> None:
    assert sends_pixels("auto", file_bytes, 320, waiting) is pixels


def test_a_choice_is_kept_whatever_the_load() -> None:
    assert sends_pixels("pixels", 1, 320, IDLE)
    assert not sends_pixels("encoded", 10**9, 320, BUSY)


def test_a_broken_file_is_refused_before_anything_is_sent(serve: Serve, photo: Photo) -> None:
    server = serve()
    with Client(server.url, upload="pixels") as client, pytest.raises(Exception, match="broken or cut off"):
        client.remove(photo(200, 200)[:-60])
    assert server.requests == []
