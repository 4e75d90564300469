"""The equations of the unknown pixels are pymatting's, to the last bit, for memory of the unknown pixels."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from alphacut_core import laplacian, refine

pytest.importorskip("pymatting", reason="matting needs the refine extra")

RNG = np.random.default_rng(11)


def noise(height: int, width: int) -> Image.Image:
    return Image.fromarray(RNG.integers(0, 256, (height, width, 3), np.uint8))


def blotches(height: int, width: int) -> np.ndarray:
    """A trimap of all three values in random rectangles, at the picture's corners and borders too."""
    trimap = np.zeros((height, width), np.uint8)
    for value in (255, 128, 0, 128, 255, 128):
        top, left = RNG.integers(0, height), RNG.integers(0, width)
        trimap[top : top + height // 3 + 1, left : left + width // 3 + 1] = value
    trimap[0, 0] = trimap[-1, -1] = 128
    return trimap


@pytest.mark.parametrize("tile_px", [3, 7, 40, 192])
@pytest.mark.parametrize("size", [(3, 3), (3, 50), (50, 4), (61, 83)])
def test_tile_by_tile_the_equations_are_those_of_the_whole_picture(
    size: tuple[int, int], tile_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pymatting.laplacian.cf_laplacian import cf_laplacian

    monkeypatch.setattr(laplacian, "_TILE_PX", tile_px)
    image, trimap = noise(*size), blotches(*size)
    unknown = (trimap == 128).ravel()
    whole = cf_laplacian(np.asarray(image) / 255.0, is_known=~unknown)[unknown, :]
    expected = whole[:, unknown]
    known_part, own_part = laplacian.equations(image, trimap, unknown.reshape(size))
    assert known_part.tobytes() == (whole[:, ~unknown] @ (trimap.ravel() == 255)[~unknown]).tobytes()
    for ours, theirs in zip(
        (own_part.data, own_part.indices, own_part.indptr),
        (expected.data, expected.indices, expected.indptr),
        strict=True,
    ):
        assert ours.astype(theirs.dtype).tobytes() == theirs.tobytes()


def test_alpha_is_pymattings_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    from pymatting.alpha.estimate_alpha_cf import estimate_alpha_cf

    monkeypatch.setattr(laplacian, "_TILE_PX", 16)
    image, trimap = noise(61, 83), blotches(61, 83)
    trimap[:10, 40:] = 255
    expected = estimate_alpha_cf(np.asarray(image) / 255.0, trimap / 255.0)
    assert refine._solved(image, trimap).tobytes() == expected.tobytes()


def test_equations_that_must_be_eased_are_no_remark_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    flat = Image.new("RGB", (60, 40), (240, 240, 240))
    for left in range(0, 60, 20):
        flat.paste((left, 0, 0), (left, 10, left + 8, 18))
    trimap = np.full((40, 60), 128, np.uint8)
    trimap[:4], trimap[-4:] = 0, 255
    refine._solved(flat, trimap)
    assert capsys.readouterr() == ("", "")


def test_a_caller_can_end_it_between_tiles() -> None:
    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        laplacian.equations(noise(20, 20), blotches(20, 20), np.ones((20, 20), bool), stop)


def test_tiles_without_anything_unknown_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    monkeypatch.setattr(laplacian, "_TILE_PX", 10)
    trimap = np.zeros((40, 40), np.uint8)
    trimap[12:15, 12:15] = 128
    laplacian.equations(noise(40, 40), trimap, trimap == 128, lambda: begun.append(1))
    assert begun == [1]
