"""The ensemble in the real Triton, spoken to without Alphacut's client."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput, InferResult
from tritonclient.utils import InferenceServerException

from alphacut_core import codec, errors, render
from alphacut_core.options import Options

pytestmark = pytest.mark.triton


@pytest.fixture(scope="module")
def triton(server_url: str) -> Iterator[InferenceServerClient]:
    client = InferenceServerClient(server_url)
    yield client
    client.close()


@pytest.fixture(scope="module")
def ask(triton: InferenceServerClient) -> Callable[..., InferResult]:
    def ask(encoded: bytes, *outputs: str, options: bytes = b"") -> InferResult:
        inputs = [tensor("ENCODED", encoded), tensor("OPTIONS", options or b"{}")]
        wanted = [InferRequestedOutput(name) for name in outputs or ("MASK", "CONFIDENCE")]
        return triton.infer("remove_background", inputs, outputs=wanted, client_timeout=60)

    return ask


def tensor(name: str, data: bytes, rows: int = 1) -> InferInput:
    values = np.frombuffer(data, np.uint8)[None].repeat(rows, axis=0)
    made = InferInput(name, list(values.shape), "UINT8")
    made.set_data_from_numpy(values)
    return made


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces a size and holds almost nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_mask_comes_back_with_its_confidence(ask: Callable[..., Any], samples: dict[str, bytes]):
    result = ask(samples["dahlia"])
    mask = result.as_numpy("MASK")
    assert mask.shape == (1, 320, 320)
    assert mask.dtype == np.uint8
    assert mask.min() == 0
    assert mask.max() >= 254  # OpenVINO multiplies by a reciprocal where the reference divides
    assert 0.5 < float(result.as_numpy("CONFIDENCE")[0, 0]) <= 1.0


def test_requests_that_come_together_are_not_left_beside_an_idle_engine(
    triton: InferenceServerClient, ask: Callable[..., Any], samples: dict[str, bytes]
):
    """With lanes or time limits Triton's batcher looks twice a second what a model that was busy could do by now."""

    def waited_s() -> float:
        models = triton.get_inference_statistics(as_json=True)["model_stats"]
        waits = [model["inference_stats"]["queue"].get("ns", 0) for model in models]
        return sum(map(int, waits)) / 1e9

    before = waited_s()
    with ThreadPoolExecutor(3) as threads:
        for _ in range(15):  # and nothing comes after them that would wake it up
            list(threads.map(ask, [samples["cat"]] * 3))
    assert waited_s() - before < 2


def test_rendering_is_what_core_makes_of_the_same_mask(ask: Callable[..., Any], samples: dict[str, bytes]):
    options = Options(color="rembg", background=(10, 20, 30, 255))
    result = ask(samples["cat"], "MASK", "CONFIDENCE", "RENDERED", options=options.to_wire())
    picture = render.render(codec.decode(samples["cat"]), result.as_numpy("MASK")[0], options)
    assert result.as_numpy("RENDERED").tobytes() == render.encode(picture, options)


@pytest.mark.parametrize("outputs", [("MASK",), ("RENDERED",), ("MASK", "RENDERED")])
def test_any_outputs_can_be_asked_for_along_with_the_confidence(
    ask: Callable[..., Any], samples: dict[str, bytes], outputs: tuple[str, ...]
):
    result = ask(samples["cat"], *outputs, "CONFIDENCE")
    assert all(result.as_numpy(name) is not None for name in outputs)


def test_rendering_costs_nothing_when_nobody_asks_for_it(
    triton: InferenceServerClient, ask: Callable[..., Any], samples: dict[str, bytes]
):
    before = inferences(triton, "postprocess")
    asked = 20
    for _ in range(asked):
        ask(samples["cat"])
    assert inferences(triton, "postprocess") - before < asked / 2, "the supervisor's probes at most"


def test_many_callers_at_once_get_what_each_gets_alone(
    triton: InferenceServerClient, ask: Callable[..., Any], samples: dict[str, bytes]
):
    images = inferences(triton, "u2netp")
    alone = {name: ask(data).as_numpy("MASK") for name, data in samples.items()}
    names = [name for name in samples for _ in range(4)]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda name: ask(samples[name]).as_numpy("MASK"), names))
    assert all(np.array_equal(mask, alone[name]) for name, mask in zip(names, together, strict=True))
    assert inferences(triton, "u2netp") - images >= len(samples) + len(names)  # the supervisor's probes count too


BAD = {
    "empty": (b"\x00", errors.UnsupportedImageError),
    "random bytes": (np.random.default_rng(7).bytes(5000), errors.UnsupportedImageError),
    "text": (b"This is no picture, whatever its name says.\n" * 20, errors.UnsupportedImageError),
    "huge PNG header": (png_header(60_000, 60_000), errors.ImageTooLargeError),
    "zero-size PNG": (png_header(0, 10), errors.InputError),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_by_class_and_the_server_lives_on(
    ask: Callable[..., Any], samples: dict[str, bytes], name: str
):
    data, expected = BAD[name]
    assert_refused(ask, data, expected)
    assert ask(samples["cat"]).as_numpy("MASK").max() >= 254


def test_a_file_cut_off_anywhere_is_refused(ask: Callable[..., Any], samples: dict[str, bytes]):
    for share in (0.02, 0.3, 0.9):
        assert_refused(ask, samples["rocket"][: int(share * len(samples["rocket"]))], errors.UndecodableImageError)


def test_a_bad_image_costs_only_itself(ask: Callable[..., Any], samples: dict[str, bytes]):
    def mask_or_error(data: bytes) -> str:
        try:
            return str(ask(data).as_numpy("MASK").shape)
        except InferenceServerException as error:
            return type(errors.AlphacutError.from_wire(error.message())).__name__

    files = [samples["cat"], b"not an image", samples["coffee"], samples["cat"][:2000]] * 4
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(mask_or_error, files))
    assert outcomes == ["(1, 320, 320)", "UnsupportedImageError", "(1, 320, 320)", "UndecodableImageError"] * 4


def test_an_unknown_option_is_refused(ask: Callable[..., Any], samples: dict[str, bytes]):
    assert_refused(ask, samples["cat"], errors.InvalidOptionError, options=b'{"colour":"straight"}')


def test_two_images_in_one_request_are_refused(triton: InferenceServerClient, samples: dict[str, bytes]):
    inputs = [tensor("ENCODED", samples["cat"], rows=2), tensor("OPTIONS", b"{}", rows=2)]
    with pytest.raises(InferenceServerException, match="one image a request"):
        triton.infer("remove_background", inputs)


def test_a_refinement_whose_library_is_not_in_the_server_says_so(ask: Callable[..., Any], samples: dict[str, bytes]):
    with pytest.raises(InferenceServerException) as raised:
        ask(samples["cat"], "RENDERED", "CONFIDENCE", options=Options(post_process=True).to_wire())
    assert isinstance(errors.AlphacutError.from_wire(raised.value.message()), errors.MissingLibraryError)


def test_webp_is_encoded_on_request(ask: Callable[..., Any], samples: dict[str, bytes]):
    result = ask(samples["cat"], "RENDERED", "CONFIDENCE", options=Options(format="webp").to_wire())
    picture = Image.open(io.BytesIO(result.as_numpy("RENDERED").tobytes()))
    assert (picture.format, picture.mode, picture.size) == ("WEBP", "RGBA", (451, 300))


def assert_refused(
    ask: Callable[..., Any], data: bytes, expected: type[errors.AlphacutError], options: bytes = b""
) -> None:
    with pytest.raises(InferenceServerException) as raised:
        ask(data, options=options)
    assert raised.value.status() == "StatusCode.INVALID_ARGUMENT"
    assert isinstance(errors.AlphacutError.from_wire(raised.value.message()), expected)


def inferences(triton: InferenceServerClient, model: str) -> int:
    return sum(int(s.inference_count) for s in triton.get_inference_statistics(model).model_stats)
