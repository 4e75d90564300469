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


def test_an_open_file_is_read_from_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"headcontent")
    with path.open("rb") as file:
        file.seek(4)
        assert _kinds.file_content(file) == b"content"
        assert not file.closed
    assert _kinds.file_content(io.BytesIO(b"content")) == b"content"


def test_of_an_open_file_no_more_is_read_than_the_limit_and_one_byte() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            assert 0 < size <= 101
            return b"x" * size

    with pytest.raises(ImageTooLargeError, match="got a file of at least 101 bytes; at most 100 are accepted"):
        _kinds.file_content(Endless(), Limits(max_bytes=100))


def test_a_file_that_is_open_as_text_is_refused_with_the_way_out() -> None:
    with pytest.raises(UnsupportedImageError, match="gives str instead of bytes; open it in binary mode"):
        _kinds.file_content(io.StringIO("text"))


def test_a_closed_file_is_refused() -> None:
    file = io.BytesIO(b"content")
    file.close()
    with pytest.raises(InputError, match="give a file that is open for reading"):
        _kinds.file_content(file)


@pytest.mark.parametrize(
    "address",
    ["https://example.com/a.jpg", "HTTP://example.com/a.jpg", "s3://b/k", "file:///a.jpg", "data:image/png;x"],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_an_address_is_named_as_one_and_never_fetched(kind: Callable[[str], object], address: str) -> None:
    with pytest.raises(InputError, match="addresses are never fetched here; download it, and give the bytes"):
        _kinds.file_content(kind(address))


def test_a_file_that_is_called_like_an_address_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data:1.jpg").write_bytes(b"content")
    assert _kinds.file_content("data:1.jpg") == b"content"


def test_a_path_with_a_nul_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="cannot read"):
        _kinds.file_content("a\0.jpg")


@pytest.mark.parametrize("channels", [3, 4])
def test_blue_first_arrays_are_read_and_given_back_blue_first(channels: int) -> None:
    array = np.random.default_rng(7).integers(0, 256, (20, 30, channels), dtype=np.uint8)
    picture = _kinds.picture(array, LIMITS, "bgr")
    assert np.array_equal(np.asarray(picture)[..., :3], array[..., 2::-1])
    assert np.array_equal(_kinds.array(picture, "bgr"), array)


@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_a_result_can_be_drawn_on_as_opencv_does_it(channels: _kinds.Channels) -> None:
    result = _kinds.array(Image.new("RGBA", (5, 4)), channels)
    assert result.flags.c_contiguous
    assert result.flags.writeable


def test_a_mask_has_no_order_of_channels() -> None:
    mask = Image.new("L", (3, 2), 7)
    assert _kinds.array(mask, "bgr").shape == (2, 3)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (b"", "encoded"),
        ("a.jpg", "encoded"),
        (io.BytesIO(), "encoded"),
        (Image.new("L", (1, 1)), "image"),
        (np.zeros((1, 1, 3), np.uint8), "array"),
    ],
)
def test_the_same_kind_comes_out_unless_another_is_asked_for(image: object, kind: str) -> None:
    assert _kinds.wanted(image, None) == kind
    assert _kinds.wanted(image, bytes) == "encoded"
    assert _kinds.wanted(image, np.ndarray) == "array"
    assert _kinds.wanted(image, Image.Image) == "image"


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
