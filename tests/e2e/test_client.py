"""The client against a real Triton: kinds, order, parity of its ways, and faults."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from alphacut_client import Client, EmbeddedServer
from alphacut_core import codec, probe
from alphacut_core.contract import DEFAULT_PIPELINE, Pipeline
from alphacut_core.errors import (
    AlphacutError,
    ContractError,
    ImageTooLargeError,
    MissingLibraryError,
    RefinementError,
    ServerStartError,
    UndecodableImageError,
    UnknownModelError,
)
from alphacut_core.limits import Limits
from alphacut_core.options import Matting
from alphacut_core.tiers import MODES
from tests.waiting import wait_until

pytestmark = pytest.mark.triton


@pytest.fixture(scope="module")
def client(server_url: str) -> Iterator[Client]:
    with Client(server_url) as client:
        yield client


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_every_kind_comes_back_as_itself_and_shows_the_same(
    client: Client, samples: dict[str, bytes], tmp_path: Path
) -> None:
    data = samples["dahlia"]
    path = tmp_path / "dahlia.jpg"
    path.write_bytes(data)
    picture = codec.decode(data)
    expected = pixels(client.remove(data))
    assert expected.shape == (picture.height, picture.width, 4)
    assert np.array_equal(pixels(client.remove(path)), expected)
    assert np.array_equal(np.asarray(client.remove(picture)), expected)
    assert np.array_equal(client.remove(np.asarray(picture)), expected)
    assert np.array_equal(client.mask(np.asarray(picture)), expected[..., 3])


def test_the_subject_is_kept_and_the_background_goes(client: Client, samples: dict[str, bytes]) -> None:
    mask = client.mask(np.asarray(codec.decode(samples["dahlia"])))
    height, width = mask.shape
    assert mask[height // 2 - 20 : height // 2 + 20, width // 2 - 20 : width // 2 + 20].min() > 200
    assert mask[: height // 8].max() < 40


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="straight"),
        pytest.param({"color": "rembg"}, id="rembg"),
        pytest.param({"background": (0, 128, 255, 255), "format": "webp"}, id="background"),
        pytest.param({"decode": "fast"}, id="fast"),
    ],
)
def test_the_server_renders_what_the_client_renders(
    options: dict[str, Any], client: Client, server_url: str, samples: dict[str, bytes]
) -> None:
    with Client(server_url, render_on="server") as remote:
        theirs = pixels(remote.remove(samples["coffee"], **options))
    assert np.array_equal(theirs, pixels(client.remove(samples["coffee"], **options)))


def test_fast_decoding_moves_the_mask_by_less_than_one_level_in_the_mean(
    client: Client, samples: dict[str, bytes]
) -> None:
    buffer = io.BytesIO()
    codec.decode(samples["pagoda"]).resize((2600, 1800)).save(buffer, "JPEG", quality=92)
    exact, fast = (pixels(client.mask(buffer.getvalue(), decode=decode)).astype(int) for decode in ("exact", "fast"))
    assert 0 < np.abs(exact - fast).mean() < 1


def test_a_batch_keeps_its_order_and_a_bad_image_costs_only_itself(client: Client, samples: dict[str, bytes]) -> None:
    images = [*samples.values(), b"no image", *reversed(samples.values())]
    results = client.remove_batch(images, on_error="return")
    shown = [None if isinstance(result, AlphacutError) else pixels(result).shape[:2] for result in results]
    sizes = [pixels(data).shape[:2] for data in samples.values()]
    assert shown == [*sizes, None, *reversed(sizes)]
    assert isinstance(results[len(samples)], AlphacutError)
    assert results[len(samples)].index == len(samples)
    for first, last in zip(results[: len(samples)], reversed(results[len(samples) + 1 :]), strict=True):
        assert first == last


def test_what_only_the_server_can_judge_comes_back_as_its_own_class(server_url: str) -> None:
    # The client's limits would let it pass; the server's do not.
    huge = Image.new("1", (9000, 9000))
    buffer = io.BytesIO()
    huge.save(buffer, "PNG")
    lenient = Limits(max_pixels=100_000_000)
    with Client(server_url, limits=lenient, render_on="server") as client, pytest.raises(ImageTooLargeError):
        client.remove(buffer.getvalue())


def test_a_file_that_is_cut_off_behind_its_header_fails_alone(client: Client, samples: dict[str, bytes]) -> None:
    with pytest.raises(UndecodableImageError):
        client.remove(samples["cat"][: len(samples["cat"]) // 2])
    assert client.remove(samples["cat"])


def test_a_refinement_that_the_server_has_no_library_for_still_works_here(
    server_url: str, samples: dict[str, bytes]
) -> None:
    with Client(server_url, render_on="server") as client, pytest.raises(MissingLibraryError, match="on the client"):
        client.remove(samples["cat"], post_process=True)
    with Client(server_url) as client:
        assert set(np.unique(pixels(client.mask(samples["cat"], post_process=True)))) == {0, 255}


def test_a_refinement_that_the_mask_does_not_allow_is_told(client: Client) -> None:
    with pytest.raises(RefinementError, match="erode_size"):
        client.remove(probe.picture(), matting=Matting(erode_size=255))


def test_a_model_that_is_not_there_is_named(server_url: str, samples: dict[str, bytes]) -> None:
    absent = Pipeline("cut_hair", "preprocess", "u2net_hair", "postprocess", DEFAULT_PIPELINE.size)
    with Client(server_url, pipeline=absent) as client, pytest.raises(ContractError, match="cut_hair"):
        client.remove(samples["cat"])


def test_health_and_statistics_come_from_real_inferences(client: Client) -> None:
    before = client.statistics()
    health = client.health()
    # Triton counts an inference when it has answered it, and so perhaps after its caller has asked.
    for model in ("u2netp", "postprocess"):
        wait_until(f"{model}'s being counted", lambda model=model: client.statistics()[model] != before[model])
    after = client.statistics()
    assert health.server.startswith("triton 2.")
    assert health.confidence > 0.5
    counted = after["u2netp"] - before["u2netp"]
    assert counted.inferences >= 1
    assert 0 < counted.compute_s <= counted.total_s


def test_a_batch_outlives_the_death_of_its_server(start_server: Callable[..., Any], samples: dict[str, bytes]) -> None:
    server = start_server()
    images = list(samples.values()) * 6
    killed = threading.Event()

    def kill_early(finished: int) -> None:
        if finished == 4:
            server.triton().kill()
            killed.set()

    with Client(server.url, window=8) as client:
        results = client.mask_batch(images, progress=kill_early)
    assert killed.is_set()
    assert len(results) == len(images)
    assert results == results[: len(samples)] * 6


def test_an_embedded_server_lives_as_long_as_its_block(samples: dict[str, bytes], repository: Path) -> None:
    with EmbeddedServer(repository) as server, Client(server.url) as client:
        everything = psutil.Process(server.pid).children(recursive=True)
        assert client.remove(samples["cat"])
    _, alive = psutil.wait_procs(everything, timeout=8)
    assert not alive


def test_an_embedded_server_without_a_repository_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ServerStartError, match="no Alphacut model repository"), EmbeddedServer(tmp_path):
        pass


def small_picture() -> bytes:
    return codec.encode_png(Image.new("RGB", (64, 64), (90, 120, 150)))


@pytest.mark.parametrize("upload", ["encoded", "pixels"])
def test_interactive_images_go_before_bulk(upload: Any, server_url: str) -> None:
    photo = small_picture()
    begun = threading.Event()
    done = 0
    with Client(server_url, window=48, upload=upload) as client:

        def work_in_bulk() -> None:
            nonlocal done
            for _ in client.stream([photo] * 48, ordered=False, priority="bulk"):
                done += 1
                begun.set()

        bulk = threading.Thread(target=work_in_bulk)
        bulk.start()
        assert begun.wait(120)
        client.mask(photo)
        overtaken = 48 - done
        bulk.join()
    assert done == 48
    assert overtaken > 12  # without lanes it comes behind nearly all of them


@pytest.mark.parametrize("mode", MODES)
def test_pixels_make_the_very_masks_that_files_make(mode: Any, client: Client, samples: dict[str, bytes]) -> None:
    for name in ("cat", "pagoda"):
        for decode in ("exact", "fast"):
            from_file = client.mask(samples[name], mode=mode, decode=decode)
            assert client.mask(samples[name], mode=mode, decode=decode, upload="pixels") == from_file
    assert client.remove(samples["cat"], mode=mode, upload="pixels") == client.remove(samples["cat"], mode=mode)


def test_the_server_lists_what_it_serves_and_what_was_measured(client: Client) -> None:
    listed = {one.mode: one for one in client.models() if one.model == "u2netp"}
    assert [listed[mode].size for mode in MODES] == [320, 256, 160]
    full = listed["full"]
    assert full.precision in {"int8", "bf16", "fp32"}
    assert full.licence
    assert full.mean_iou is not None
    assert 0.5 < full.mean_iou <= 1
    assert full.time_ms is not None
    assert full.time_ms > 0
    assert full.machine


def test_a_network_that_is_not_there_is_refused_with_a_list(client: Client, samples: dict[str, bytes]) -> None:
    with pytest.raises(UnknownModelError, match="model='u2netp' mode='lite'"):
        client.remove(samples["cat"], model="u2net_hair")
