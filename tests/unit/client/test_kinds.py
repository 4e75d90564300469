"""What counts as an image, and what is told to those who hand over something else."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alphacut_client import _kinds
from alphacut_core.errors import ImageTooLargeError, InputError, UndecodableImageError, UnsupportedImageError
from alphacut_core.limits import Limits

LIMITS = Limits(max_pixels=10_000)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_stands_for_its_files_bytes(kind: Callable[[str], object], tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"content")
    assert _kinds.file_content(kind(str(path))) == b"content"


def test_a_missing_file_is_an_input_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.jpg' \(No such file"):
        _kinds.file_content(tmp_path / "missing.jpg")


@pytest.mark.parametrize("channels", [3, 4])
def test_an_array_keeps_its_values(channels: int) -> None:
    array = np.random.default_rng(7).integers(0, 256, (20, 30, channels), dtype=np.uint8)
    assert np.array_equal(np.asarray(_kinds.picture(array, LIMITS)), array)


def test_an_array_may_be_a_view_with_strides() -> None:
    array = np.random.default_rng(7).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(_kinds.picture(array[::-1, ::2], LIMITS)), array[::-1, ::2])


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.zeros((20, 30, 3), np.float32), id="float"),
        pytest.param(np.zeros((20, 30), np.uint8), id="grey"),
        pytest.param(np.zeros((20, 30, 2), np.uint8), id="two channels"),
        pytest.param(np.zeros((3, 20, 30), np.uint8), id="channels first"),
        pytest.param(np.zeros((0, 30, 3), np.uint8), id="no rows"),
    ],
)
def test_other_arrays_are_refused_with_what_is_allowed(array: np.ndarray) -> None:
    with pytest.raises(UnsupportedImageError, match=r"uint8 \(H, W, 3\)|at least 1"):
        _kinds.picture(array, LIMITS)


def test_pixels_obey_the_limits() -> None:
    with pytest.raises(ImageTooLargeError, match="10,000"):
        _kinds.picture(np.zeros((101, 100, 3), np.uint8), LIMITS)
    with pytest.raises(ImageTooLargeError, match="10,000"):
        _kinds.picture(Image.new("RGB", (101, 100)), LIMITS)


def test_a_pil_image_is_turned_upright_and_the_callers_own_stays_as_it_was() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20)).save(buffer, "JPEG", exif=exif)
    with Image.open(buffer) as image:
        assert _kinds.picture(image, LIMITS).size == (20, 30)
        assert image.size == (30, 20)


def test_a_pil_image_whose_file_is_cut_off_is_an_input_error(photo: Callable[..., bytes]) -> None:
    data = photo(400, 400, "JPEG")
    with Image.open(io.BytesIO(data[: len(data) // 2])) as image, pytest.raises(UndecodableImageError):
        _kinds.picture(image, Limits())


@pytest.mark.parametrize("thing", [None, 7, [1, 2], object()])
def test_anything_else_is_refused_by_its_type(thing: object) -> None:
    assert _kinds.file_content(thing) is None
    with pytest.raises(UnsupportedImageError, match=f"got {type(thing).__name__}; give"):
        _kinds.picture(thing, LIMITS)
