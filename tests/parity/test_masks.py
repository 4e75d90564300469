"""The fused graph's masks are rembg's: at most 1 of 255 apart, on at most a thousandth of the pixels."""

from __future__ import annotations

import io
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from alphacut_core import codec, geometry, steps
from alphacut_core.limits import DEFAULT_LIMITS
from alphacut_core.options import Options
from alphacut_engines.gate import Engine
from alphacut_engines.reference import Reference

SIZE = 320

Drawn = Callable[..., bytes]


def mask_of(network: Engine, data: bytes) -> np.ndarray:
    image = codec.decode(data)
    masks, _ = network.masks(geometry.to_square(image, SIZE)[None])
    return np.asarray(geometry.to_picture(masks[0], *image.size), np.int16)


def rembgs_mask_of(rembg: ModuleType, session: Any, data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(rembg.remove(data, session=session, only_mask=True))), np.int16)


def assert_alike(got: np.ndarray, wanted: np.ndarray, name: str, share: float = 0.001) -> None:
    assert got.shape == wanted.shape, name
    difference = np.abs(got - wanted)
    assert difference.max() <= 1, f"{name}: {difference.max()} of 255 apart"
    assert (difference > 0).mean() <= share, f"{name}: {(difference > 0).mean():.4%} of the pixels differ"


def test_masks_of_photographs_are_rembgs(
    rembg: ModuleType, rembg_session: Any, network: Reference, samples: dict[str, bytes]
) -> None:
    assert len(samples) >= 6
    for name, data in samples.items():
        got = mask_of(network, data)
        assert got.max() > 200, f"{name}: nothing was found"
        assert_alike(got, rembgs_mask_of(rembg, rembg_session, data), name)


@pytest.mark.filterwarnings(
    "ignore:Palette images with Transparency expressed in bytes:UserWarning"  # rembg's own conversion says so
)
@pytest.mark.parametrize("file", ["L", "P with a table of alphas", "RGBA", "CMYK", "JPEG turned by 6"], indirect=True)
def test_masks_of_every_layout_are_rembgs(
    rembg: ModuleType, rembg_session: Any, network: Reference, file: bytes
) -> None:
    assert_alike(mask_of(network, file), rembgs_mask_of(rembg, rembg_session, file), "drawn picture")


@pytest.mark.parametrize("size", [(320, 320), (1, 1), (7, 900)])
def test_masks_of_every_shape_are_rembgs(
    rembg: ModuleType, rembg_session: Any, network: Reference, photograph: Drawn, size: tuple[int, int]
) -> None:
    data = photograph(*size, "PNG")
    # No subject is seen in the strip: its map lies between 0 and 0.01, and stretching it shows float32's last bits.
    share = 0.005 if size == (7, 900) else 0.001
    assert_alike(mask_of(network, data), rembgs_mask_of(rembg, rembg_session, data), str(size), share)


@pytest.mark.parametrize("level", [0, 1, 40])
def test_dark_and_empty_pictures_are_scaled_by_their_own_maximum_as_rembg_does(
    rembg: ModuleType, rembg_session: Any, network: Reference, photograph: Drawn, level: int
) -> None:
    with Image.open(io.BytesIO(photograph(200, 150, "PNG"))) as image:
        dark = image.point(lambda value: value * level // 255)
    buffer = io.BytesIO()
    dark.save(buffer, "PNG")
    data = buffer.getvalue()
    # A black picture's map lies between 0 and 0.01, and stretching it to 255 shows the last bits of float32.
    share = 0.001 if level > 1 else 0.005
    assert_alike(mask_of(network, data), rembgs_mask_of(rembg, rembg_session, data), f"maximum {level}", share)


@pytest.mark.parametrize(("shape", "reduced"), [((1920, 1440), (960, 720)), ((1440, 1920), (720, 960))])
def test_masks_of_fast_decoding_stay_within_one_level_in_the_mean(
    network: Reference, samples: dict[str, bytes], shape: tuple[int, int], reduced: tuple[int, int]
) -> None:
    differences = {}
    for name, photograph in samples.items():
        buffer = io.BytesIO()
        codec.decode(photograph).resize(shape).save(buffer, "JPEG", quality=90)
        assert codec.decode_reduced(buffer.getvalue(), SIZE).size == reduced
        ways = (Options(), Options(decode="fast"))
        squares = [steps.preprocess(buffer.getvalue(), options, SIZE, DEFAULT_LIMITS) for options in ways]
        masks, _ = network.masks(np.stack(squares))
        differences[name] = np.abs(masks[0].astype(np.int16) - masks[1]).mean()
    assert np.mean(list(differences.values())) <= 1, differences
    assert max(differences.values()) <= 2, differences
