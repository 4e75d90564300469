"""The client's promises, against a server whose masks are known."""

from __future__ import annotations

import dataclasses
import io
import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from alphacut_client import Client, StageTimes
from alphacut_client._route import Route
from alphacut_client.keywords import CutoutKeywords, MaskKeywords, RouteKeywords
from alphacut_client.settings import ClientKeywords, Settings
from alphacut_core import codec, render
from alphacut_core.errors import (
    AlphacutError,
    EmptyImageError,
    ImageTooLargeError,
    InputError,
    InvalidOptionError,
    UnavailableError,
    UndecodableImageError,
    UnsupportedImageError,
)
from alphacut_core.limits import Limits
from alphacut_core.options import Options

Serve = Callable[..., Any]
Photo = Callable[..., bytes]
NAMES = {field.name for field in dataclasses.fields(Options)} - {"output"}


@pytest.fixture
def server(serve: Serve) -> Any:
    return serve()


@pytest.fixture
def client(server: Any) -> Iterator[Client]:
    with Client(server.url, retry_for_s=0) as client:
        yield client


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_bytes_become_the_bytes_that_core_makes_of_file_and_mask(
    client: Client, photo: Photo, left_half: np.ndarray
) -> None:
    options = Options(background=(0, 0, 255, 255))
    picture = codec.decode(photo())
    expected = render.encode(render.render(picture, left_half, options), options)
    assert client.remove(photo(), background=(0, 0, 255, 255)) == expected


def test_a_path_becomes_bytes_too(client: Client, photo: Photo, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(photo())
    assert client.remove(path) == client.remove(str(path)) == client.remove(photo())


def test_a_pil_image_becomes_a_pil_image_with_alpha(client: Client, photo: Photo) -> None:
    cutout = client.remove(opened(photo(64, 48)))
    assert (cutout.mode, cutout.size) == ("RGBA", (64, 48))
    assert cutout.getpixel((5, 20)) == (200, 100, 50, 255)
    assert cutout.getpixel((60, 20)) == (200, 100, 50, 0)


def test_an_array_becomes_a_writable_array_with_alpha(client: Client, photo: Photo) -> None:
    cutout = client.remove(np.asarray(opened(photo(64, 48))))
    assert (cutout.dtype, cutout.shape, cutout.flags.writeable) == (np.uint8, (48, 64, 4), True)
    assert cutout[20, 5].tolist() == [200, 100, 50, 255]


def test_masks_keep_the_kind_and_lose_the_colour(client: Client, photo: Photo) -> None:
    picture = opened(photo(64, 48))
    array = client.mask(np.asarray(picture))
    assert (array.shape, array[20, 5], array[20, 60]) == ((48, 64), 255, 0)
    assert np.array_equal(np.asarray(client.mask(picture)), array)
    assert np.array_equal(np.asarray(opened(client.mask(photo(64, 48)))), array)


def test_a_colour_profile_goes_with_its_colours(client: Client, photo: Photo) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert opened(client.remove(photo(icc_profile=profile))).info["icc_profile"] == profile


def test_webp_is_written_when_asked_for(client: Client, photo: Photo) -> None:
    assert opened(client.remove(photo(), format="webp")).format == "WEBP"


def test_with_rendering_on_the_server_its_file_is_passed_on_unchanged(server: Any, photo: Photo) -> None:
    with Client(server.url, render_on="server") as client:
        assert client.remove(photo(), color="rembg") == b"rendered"
    assert server.requests[0].raw_input_contents[1] == b'{"color":"rembg"}'


def test_pixels_are_composited_here_even_with_rendering_on_the_server(server: Any, photo: Photo) -> None:
    with Client(server.url, render_on="server") as client:
        assert client.remove(opened(photo())).mode == "RGBA"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", EmptyImageError),
        (b"no image at all", UnsupportedImageError),
        (b"\x89PNG\r\n\x1a\n cut off", UndecodableImageError),
    ],
)
def test_a_bad_header_is_refused_without_asking_the_server(data: bytes, kind: type[InputError], server: Any) -> None:
    times = StageTimes()
    with Client(server.url, observer=times) as client, pytest.raises(kind):
        client.remove(data)
    assert "send" not in times.by_stage()


def test_limits_hold_before_anything_is_sent(server: Any, photo: Photo) -> None:
    times = StageTimes()
    limits = Limits(max_pixels=100)
    with Client(server.url, limits=limits, observer=times) as client, pytest.raises(ImageTooLargeError, match="100"):
        client.remove(photo())
    assert "send" not in times.by_stage()


def test_a_file_that_cannot_be_decoded_here_cancels_what_was_sent(serve: Serve, hang: Any, photo: Photo) -> None:
    data = photo(400, 400, "JPEG")
    with Client(serve(hang).url) as client, pytest.raises(UndecodableImageError):
        client.remove(data[: len(data) // 2])
    assert not hang.arrived.is_set() or hang.left.wait(20)


def test_an_option_that_does_not_exist_or_fit_is_refused(client: Client, photo: Photo) -> None:
    with pytest.raises(InvalidOptionError, match="straight"):
        client.remove(photo(), color="vivid")
    with pytest.raises(TypeError, match="colour"):
        client.remove(photo(), colour="rembg")


def test_the_keywords_are_cores_options() -> None:
    ways = set(RouteKeywords.__annotations__)
    assert set(CutoutKeywords.__annotations__) - ways == NAMES
    assert set(MaskKeywords.__annotations__) - ways < NAMES


def test_the_keywords_of_a_call_are_its_way_and_those_of_a_client_its_settings() -> None:
    assert set(RouteKeywords.__annotations__) <= {field.name for field in dataclasses.fields(Route)}
    assert set(ClientKeywords.__annotations__) == {field.name for field in dataclasses.fields(Settings)} - {"url"}


def test_a_batch_comes_back_in_order_however_the_answers_come(serve: Serve, respond: Any, photo: Photo) -> None:
    release_first = threading.Event()
    sizes = [(10, 10), (20, 20), (30, 30)]
    first = photo(*sizes[0])

    def first_comes_last(request: Any, context: grpc.ServicerContext) -> Any:
        if request.raw_input_contents[0] == first:
            assert release_first.wait(20)
        return respond(request)

    with Client(serve(first_comes_last).url, window=3) as client:
        done: list[int] = []

        def progress(finished: int) -> None:
            done.append(finished)
            if finished == 2:
                release_first.set()

        cutouts = client.remove_batch([photo(*size) for size in sizes], progress=progress)
    assert [opened(cutout).size for cutout in cutouts] == sizes
    assert done == [1, 2, 3]


def test_one_bad_image_costs_only_itself_and_says_which_it_was(client: Client, photo: Photo) -> None:
    good, bad = photo(), b"no image"
    results = client.remove_batch([good, bad, good, b""], on_error="return")
    assert [type(result) for result in results] == [bytes, UnsupportedImageError, bytes, EmptyImageError]
    assert [result.index for result in results if isinstance(result, AlphacutError)] == [1, 3]


def test_a_missing_file_in_a_batch_costs_only_itself(client: Client, photo: Photo, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(photo())
    results = client.mask_batch([path, tmp_path / "missing.png"], on_error="return")
    assert isinstance(results[0], bytes)
    assert isinstance(results[1], InputError)


def test_the_first_error_ends_a_batch_and_carries_its_index(client: Client, photo: Photo) -> None:
    with pytest.raises(UnsupportedImageError, match="image 1 of the batch: got 8 bytes") as caught:
        client.remove_batch([photo(), b"no image", photo()])
    assert caught.value.index == 1


def test_an_error_ends_a_batch_without_waiting_for_answers_that_do_not_come(
    serve: Serve, hang: Any, photo: Photo
) -> None:
    def images() -> Iterator[bytes]:
        yield photo()
        assert hang.arrived.wait(20)
        yield b"no image"

    with Client(serve(hang).url, window=2) as client, pytest.raises(UnsupportedImageError):
        client.remove_batch(images())
    assert hang.left.wait(20)


def test_a_batch_reads_a_generator_no_further_than_its_window(server: Any, photo: Photo) -> None:
    with Client(server.url, window=2) as client:
        ahead: list[int] = []
        finished = 0

        def images() -> Iterator[bytes]:
            for taken in range(1, 21):
                ahead.append(taken - finished)
                yield photo(8, 8)

        def progress(number: int) -> None:
            nonlocal finished
            finished = number

        assert len(client.mask_batch(images(), progress=progress)) == 20
    assert max(ahead) <= 3  # two under way, and one whose place has just become free


def test_no_images_are_no_problem(client: Client) -> None:
    assert client.remove_batch([]) == []


@pytest.mark.parametrize(
    "single",
    [
        "photo.jpg",
        b"content",
        Path("photo.jpg"),
        io.BytesIO(b"content"),
        Image.new("RGB", (9, 9)),
        np.zeros((9, 9, 3), np.uint8),
    ],
    ids=lambda single: type(single).__name__,
)
def test_a_single_image_is_not_taken_for_a_batch(client: Client, single: Any) -> None:
    with pytest.raises(InputError, match="single image"):
        client.remove_batch(single, on_error="return")


def test_an_array_of_images_is_a_batch(client: Client, photo: Photo, tmp_path: Path) -> None:
    assert len(client.mask_batch(np.zeros((2, 9, 9, 3), np.uint8))) == 2
    path = tmp_path / "photo.png"
    path.write_bytes(photo())
    assert len(client.mask_batch(np.array([str(path)] * 3))) == 3


def test_one_client_serves_many_threads(client: Client, photo: Photo) -> None:
    images = [photo(10 + number, 10) for number in range(40)]
    with ThreadPoolExecutor(8) as executor:
        cutouts = list(executor.map(client.remove, images))
    assert [opened(cutout).width for cutout in cutouts] == [10 + number for number in range(40)]


def test_an_observer_is_told_every_stage_once(server: Any, photo: Photo) -> None:
    times = StageTimes()
    with Client(server.url, observer=times) as client:
        client.remove(photo())
    stages = times.by_stage()
    assert list(stages) == ["read", "header", "send", "decode", "wait", "render", "encode"]
    assert {spent.count for spent in stages.values()} == {1}
    assert all(spent.mean_s >= 0 for spent in stages.values())


def test_health_asks_every_step_and_tells_what_answered(client: Client, server: Any) -> None:
    health = client.health()
    assert (health.server, health.confidence) == ("triton 2.51.0", 0.75)
    assert health.latency_s > 0
    assert len(server.requests) == 1
    assert {output.name for output in server.requests[0].outputs} == {"MASK", "CONFIDENCE", "RENDERED"}


def test_health_of_a_server_that_is_gone_is_an_error_at_once(serve: Serve) -> None:
    gone = serve()
    gone.stop()
    with Client(gone.url, retry_for_s=1000) as client, pytest.raises(UnavailableError):
        client.health()


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 0},
        {"window": 2.5},
        {"window": "4"},
        {"window": True},
        {"render_on": "moon"},
        {"keepalive_s": 0},
        {"keepalive_s": math.inf},
        {"keepalive_s": math.nan},
        {"retry_for_s": -1},
        {"retry_for_s": math.nan},
        {"retry_for_s": "4"},
        {"retry_for_s": None},
        {"keepalive_s": "310"},
        {"render_on": np.array(["client", "server"])},
        {"model": 5},
        {"mode": np.array(["full", "lite"])},
        {"url": []},
        {"timeout_s": 0.01},
        {"timeout_s": math.inf},
        {"timeout_s": math.nan},
        {"timeout_s": 1e12},
        {"mode": "tiny"},
        {"upload": "fax"},
        {"priority": "mine"},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((ValueError, InvalidOptionError), match=f"got {next(iter(wrong))}="):
        Client(**wrong)


def test_numbers_of_numpys_are_taken_as_settings(serve: Serve, photo: Photo) -> None:
    with Client(serve().url, window=np.int64(2), timeout_s=np.float32(20), retry_for_s=np.int8(0)) as client:
        assert len(client.remove_batch([photo()] * 3, timeout_s=np.int64(20))) == 3


def test_the_mask_of_a_file_is_made_without_decoding_it_here(
    client: Client, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    expected = client.mask(photo(70, 50, "JPEG", exif=turned))
    monkeypatch.setattr(codec, "decode", None)  # calling it would be a TypeError
    assert client.mask(photo(50, 70, "JPEG")) == expected
    assert opened(expected).size == (50, 70)
