"""Closed-form matting of the unknown band: pymatting's answer, within a budget."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from alphacut_core import band
from alphacut_core.errors import RefinementError
from alphacut_core.geometry import Pixels
from alphacut_core.refinements import Refine

pytest.importorskip("pymatting", reason="matting needs the refine extra")


def soft_disc(height: int = 90, width: int = 130, radius: float = 28) -> Image.Image:
    rows, columns = np.mgrid[:height, :width]
    distance = radius - np.hypot(rows - height // 2, columns - width // 2)
    return Image.fromarray(np.clip(distance * 40 + 128, 0, 255).astype(np.uint8))


def scene(mask: Image.Image) -> Image.Image:
    """A bright subject with grain before a dark ground, mixed by ``mask``."""
    grain = np.random.default_rng(4).normal(0, 4, (mask.height, mask.width, 3))
    alpha = np.asarray(mask)[..., None] / 255
    colors = alpha * [210, 180, 90] + (1 - alpha) * [40, 60, 110] + grain
    return Image.fromarray(np.clip(colors, 0, 255).astype(np.uint8))


def by_pymatting(image: Image.Image, trimap: Pixels) -> np.ndarray:
    from pymatting.alpha.estimate_alpha_cf import estimate_alpha_cf

    alpha: np.ndarray = estimate_alpha_cf(np.asarray(image) / 255.0, trimap / 255.0)
    return alpha


def test_the_answer_is_that_of_the_whole_pictures_equations() -> None:
    mask = soft_disc()
    image = scene(mask)
    alpha = np.asarray(band.refine(image, mask, Refine(band_px=6)))
    expected = by_pymatting(image, band.around_edge(mask, 6))
    assert np.abs(alpha / 255 - expected).max() <= 0.5 / 255 + 1e-4


def test_an_edge_that_the_mask_has_wrong_moves_to_where_the_picture_has_it() -> None:
    truth = soft_disc(radius=28)
    guess = soft_disc(radius=26)
    refined = np.asarray(band.refine(scene(truth), guess, Refine(band_px=6))).astype(int)
    wrong_before = np.abs(np.asarray(guess).astype(int) - np.asarray(truth)).mean()
    assert np.abs(refined - np.asarray(truth)).mean() < wrong_before / 3


def test_the_band_follows_the_edge_and_not_the_networks_doubts() -> None:
    doubtful = np.asarray(soft_disc()).copy()
    doubtful[40:50, 60:70] = 150
    np.testing.assert_array_equal(band.around_edge(Image.fromarray(doubtful), 6), band.around_edge(soft_disc(), 6))


def test_certain_areas_are_not_touched() -> None:
    mask = soft_disc()
    trimap = band.around_edge(mask, 6)
    alpha = np.asarray(band.refine(scene(mask), mask, Refine(band_px=6)))
    assert (alpha[trimap == 255] == 255).all()
    assert (alpha[trimap == 0] == 0).all()
    assert set(np.unique(trimap)) == {0, 128, 255}


def test_a_trimap_of_the_callers_takes_the_place_of_the_band() -> None:
    mask = soft_disc()
    trimap = np.zeros((mask.height, mask.width), np.uint8)
    trimap[30:60, 40:90] = 255
    trimap[28:30, 40:90] = 128
    alpha = np.asarray(band.refine(scene(mask), mask, Refine(), Image.fromarray(trimap)))
    assert (alpha[trimap == 255] == 255).all()
    assert (alpha[trimap == 0] == 0).all()


def test_a_trimap_without_anything_unknown_is_the_answer() -> None:
    mask = soft_disc()
    trimap = mask.point([0] * 128 + [255] * 128)
    assert band.refine(scene(mask), mask, Refine(), trimap).tobytes() == trimap.tobytes()


@pytest.mark.parametrize(("level", "missing"), [(255, "background"), (0, "subject")])
def test_a_mask_without_both_sides_is_refused(level: int, missing: str) -> None:
    mask = Image.new("L", (40, 40), level)
    with pytest.raises(RefinementError, match=f"without certain {missing} .*lower band_px, give a trimap, or leave"):
        band.refine(Image.new("RGB", (40, 40)), mask, Refine())


def test_more_unknown_pixels_than_the_budget_are_refused_or_keep_the_mask_as_asked() -> None:
    mask = soft_disc()
    with pytest.raises(
        RefinementError, match=r"got \d,\d+ pixels that are neither .* max_unknown_px allows 100; scale"
    ):
        band.refine(scene(mask), mask, Refine(max_unknown_px=100))
    kept = band.refine(scene(mask), mask, Refine(max_unknown_px=100, over_budget="mask"))
    assert kept.tobytes() == mask.tobytes()


def test_more_time_than_the_budget_is_refused_or_keeps_the_mask_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(10_000))
    monkeypatch.setattr(band.time, "monotonic", lambda: float(next(ticks)))
    monkeypatch.setattr(band.Clock.__init__, "__defaults__", (band.time.monotonic,))
    mask = soft_disc()
    with pytest.raises(RefinementError, match="took longer than max_seconds=4; scale the picture down, raise max"):
        band.refine(scene(mask), mask, Refine(max_seconds=4))
    kept = band.refine(scene(mask), mask, Refine(max_seconds=4, over_budget="mask"))
    assert kept.tobytes() == mask.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (1, 3), (9, 2)])
def test_a_picture_without_a_whole_window_is_refused(size: tuple[int, int]) -> None:
    trimap = Image.new("L", (10, 10), 128).crop((0, 0, *size))
    trimap.putpixel((0, 0), 255)
    trimap.putpixel((size[0] - 1, size[1] - 1), 0)
    with pytest.raises(RefinementError, match="leave refine out"):
        band.refine(Image.new("RGB", size, (9, 99, 199)), trimap, Refine(), trimap)


@pytest.mark.parametrize("size", [(3, 3), (3, 9), (4, 4)])
def test_the_smallest_pictures_are_refined(size: tuple[int, int]) -> None:
    trimap = Image.new("L", size, 128)
    trimap.putpixel((0, 0), 255)
    trimap.putpixel((size[0] - 1, size[1] - 1), 0)
    refined = band.refine(Image.new("RGB", size, (9, 99, 199)), trimap, Refine(), trimap)
    assert (refined.size, refined.getpixel((0, 0))) == (size, 255)


def test_the_memory_is_the_bands_and_not_the_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    module = pytest.importorskip("pymatting.laplacian.cf_laplacian")
    whole, seen = module.cf_laplacian, []

    def measured(image: np.ndarray, **settings: object) -> object:
        seen.append(image.shape[0] * image.shape[1])
        return whole(image, **settings)

    monkeypatch.setattr(module, "cf_laplacian", measured)
    mask = soft_disc(900, 1300, 40)
    band.refine(scene(mask), mask, Refine(band_px=3))
    assert max(seen) <= 196 * 196
    assert sum(seen) < 900 * 1300 / 4
