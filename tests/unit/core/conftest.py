"""Pictures and files that the tests of core share, all of them made here; and a step beside a stand-in for Triton."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from alphacut_core.desk import Desk
from tests.unit.core.triton import SETTINGS, Request, Triton

Saved = Callable[..., bytes]


@pytest.fixture(scope="session")
def saved() -> Saved:
    """Encode an image: ``saved(image, "PNG", exif=...)``."""

    def save(image: Image.Image, format_name: str, **parameters: object) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, format_name, **parameters)
        return buffer.getvalue()

    return save


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """RGB, 53 x 37, smooth with a patch of noise; no two of its corners look alike."""
    rows, columns = np.mgrid[:37, :53]
    values = np.stack([rows * 5, columns * 4, (rows + columns) * 2], -1).astype(np.uint8)
    values[5:15, 5:15] = np.random.default_rng(3).integers(0, 256, (10, 10, 3), dtype=np.uint8)
    return Image.fromarray(values)


@pytest.fixture(scope="session")
def photo_with_alpha(photo: Image.Image) -> Image.Image:
    """RGBA: ``photo``, less and less transparent from left to right."""
    image = photo.copy()
    image.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 53).astype(np.uint8), (37, 1))))
    return image


@pytest.fixture(scope="session")
def deep() -> Image.Image:
    """16-bit grey, 53 x 37, from 0 to 65,535."""
    return Image.fromarray(np.linspace(0, 65535, 53 * 37).astype(np.uint16).reshape(37, 53))


@pytest.fixture(scope="session")
def srgb() -> bytes:
    """An ICC profile for RGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="session")
def corpus(
    saved: Saved,
    photo: Image.Image,
    photo_with_alpha: Image.Image,
    deep: Image.Image,
    srgb: bytes,
) -> dict[str, bytes]:
    """A sound file of every format in every layout that Pillow writes, by a name that says which."""
    sideways = Image.Exif()
    sideways[0x0112] = 6
    more = {"save_all": True, "append_images": [photo.rotate(10), photo.rotate(20)]}
    files = {
        "jpeg": saved(photo, "JPEG", exif=sideways, icc_profile=srgb),
        "jpeg-progressive": saved(photo, "JPEG", progressive=True),
        "jpeg-cmyk": saved(photo.convert("CMYK"), "JPEG"),
        "jpeg-grey": saved(photo.convert("L"), "JPEG", exif=sideways),
        "mpo": saved(photo, "MPO", **more),
        "png-16": saved(deep, "PNG"),
        "apng": saved(photo, "PNG", **more),
        "webp": saved(photo, "WEBP", exif=sideways),
        "webp-alpha": saved(photo_with_alpha, "WEBP"),
        "webp-lossless": saved(photo_with_alpha, "WEBP", lossless=True),
        "webp-animated": saved(photo, "WEBP", **more),
        "gif": saved(photo.convert("P"), "GIF"),
        "gif-grey": saved(photo.convert("L"), "GIF"),
        "gif-animated": saved(photo, "GIF", disposal=2, **more),
        "avif": saved(photo, "AVIF", exif=sideways, speed=10),
        "avif-alpha": saved(photo_with_alpha, "AVIF", speed=10),
        "avif-animated": saved(photo, "AVIF", speed=10, **more),
        "tiff-16": saved(deep, "TIFF"),
        "tiff-big": saved(photo_with_alpha, "TIFF", big_tiff=True),
    }
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        files[f"png-{mode}"] = saved(photo_with_alpha.convert(mode), "PNG", exif=sideways, icc_profile=srgb)
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        files[f"bmp-{mode}"] = saved(photo_with_alpha.convert(mode), "BMP")
    for mode in ("RGB", "CMYK", "LAB"):
        files[f"tiff-{mode}"] = saved(photo.convert(mode), "TIFF", exif=sideways)
    for compression in ("tiff_lzw", "jpeg", "packbits", "tiff_adobe_deflate"):
        files[f"tiff-{compression}"] = saved(photo, "TIFF", compression=compression)
    return files


@pytest.fixture
def make_desk() -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:

        def make(handle: Callable[[Request], list[Any]], places: int, triton: Triton | None = None) -> Desk:
            desk = Desk(triton or Triton(), SETTINGS, handle, places)
            stack.callback(desk.close)
            return desk

        yield make
