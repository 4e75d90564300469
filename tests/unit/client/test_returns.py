"""What comes out, in which kind, and whether there was a subject."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from alphacut_client import AsyncClient, Client
from alphacut_core.errors import InvalidOptionError, NoSubjectError
from alphacut_core.options import Crop, Refine

Photo = Callable[..., bytes]
KINDS = [bytes, Image.Image, np.ndarray]


@pytest.fixture
def client(serve: Callable[..., Any]) -> Iterator[Client]:
    """Connected to a server whose mask is the left half, with a confidence of 0.75."""
    with Client(serve().url, retry_for_s=0) as connected:
        yield connected


def as_array(result: Any) -> np.ndarray:
    if isinstance(result, bytes):
        with Image.open(io.BytesIO(result)) as image:
            return np.asarray(image)
    return np.asarray(result)


@pytest.mark.parametrize("returns", KINDS)
@pytest.mark.parametrize("given", [*KINDS, io.BytesIO])
@pytest.mark.parametrize("method", ["remove", "mask"])
def test_any_kind_becomes_any_kind_with_the_same_pixels(
    client: Client, photo: Photo, given: type[Any], returns: type[Any], method: str
) -> None:
    data = photo(64, 48)
    opened = Image.open(io.BytesIO(data))
    image = {bytes: data, io.BytesIO: io.BytesIO(data), Image.Image: opened, np.ndarray: np.asarray(opened)}[given]
    made = getattr(client, method)(image, returns=returns)
    assert isinstance(made, returns)
    expected = as_array(getattr(client, method)(data))
    np.testing.assert_array_equal(as_array(made), expected)


def test_batches_and_streams_return_the_kind_asked_for_too(client: Client, photo: Photo) -> None:
    images = [photo(64, 48), Image.new("RGB", (20, 10))]
    assert [made.shape for made in client.remove_batch(images, returns=np.ndarray)] == [(48, 64, 4), (10, 20, 4)]
    assert [made.shape for made in client.mask_batch(images, returns=np.ndarray)] == [(48, 64), (10, 20)]
    assert [made.size for made in client.stream(images, returns=Image.Image)] == [(64, 48), (20, 10)]


def test_the_asynchronous_client_does_the_same(serve: Callable[..., Any], photo: Photo) -> None:
    async def run(url: str) -> None:
        async with AsyncClient(url, retry_for_s=0) as client:
            assert (await client.remove(photo(64, 48), returns=np.ndarray)).shape == (48, 64, 4)
            assert [made.size for made in await client.mask_batch([photo(9, 7)], returns=Image.Image)] == [(9, 7)]

    asyncio.run(run(serve().url))


def test_another_kind_is_refused_before_anything_is_sent(client: Client, photo: Photo) -> None:
    with pytest.raises(InvalidOptionError, match=r"allowed are bytes, PIL.Image.Image, numpy.ndarray and None"):
        client.remove(photo(), returns=list)  # type: ignore[type-var]
    with pytest.raises(InvalidOptionError, match="got returns=array"):
        client.remove(photo(), returns=np.zeros((2, 2)))  # type: ignore[call-overload]


def test_blue_first_in_is_blue_first_out(client: Client) -> None:
    array = np.zeros((20, 30, 3), np.uint8)
    array[..., 0] = 200  # blue, as OpenCV has it
    cutout = client.remove(array, channels="bgr")
    assert cutout[10, 2].tolist() == [200, 0, 0, 255]
    assert Image.open(io.BytesIO(client.remove(array, channels="bgr", returns=bytes))).getpixel((2, 10))[2] == 200


def test_an_array_that_comes_out_can_be_written_to(client: Client, photo: Photo) -> None:
    client.remove(photo(), returns=np.ndarray)[0, 0] = 7


@pytest.mark.parametrize("render_on", ["client", "server"])
def test_a_doubted_subject_is_no_subject_wherever_the_picture_is_made(
    serve: Callable[..., Any], photo: Photo, render_on: Any
) -> None:
    with Client(serve().url, retry_for_s=0, render_on=render_on) as client:
        assert client.remove(photo(), min_confidence=0.75)
        with pytest.raises(NoSubjectError, match=r"finds no subject \(confidence 0.750, min_confidence 0.76\)"):
            client.remove(photo(), min_confidence=0.76)
        good, bad = client.remove_batch([photo(), np.zeros((9, 9, 3), np.uint8)], min_confidence=0.8, on_error="return")
        assert (type(good), type(bad), bad.index) == (NoSubjectError, NoSubjectError, 1)


def test_a_prediction_says_how_large_and_how_decided_the_subject_is(client: Client, photo: Photo) -> None:
    prediction = client.predict(photo())
    assert (prediction.confidence, prediction.coverage, prediction.uncertainty) == (0.75, 0.5, 0.0)


def test_a_picture_among_the_options_cannot_be_rendered_on_the_server(serve: Callable[..., Any], photo: Photo) -> None:
    server = serve()
    told = "got a picture as background, which cannot be sent to the server"
    with Client(server.url, retry_for_s=0, render_on="server") as client, pytest.raises(InvalidOptionError, match=told):
        client.remove(photo(), background=Image.new("RGB", (3, 3)))
    assert server.requests == []


def test_a_mask_that_is_refined_or_cropped_fits_its_picture(client: Client, photo: Photo) -> None:
    pytest.importorskip("pymatting", reason="matting needs the refine extra")
    assert client.mask(photo(64, 48), refine=Refine(band_px=4), returns=np.ndarray).shape == (48, 64)
    assert client.mask(photo(64, 48), crop=Crop(), returns=np.ndarray).shape[0] == 48
