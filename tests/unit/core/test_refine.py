"""Refinements of mask and edge; that they equal rembg's is shown in tests/parity."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from alphacut_core import refine
from alphacut_core.errors import MissingLibraryError, RefinementError
from alphacut_core.options import Matting


def disc(side: int = 48, radius: int = 16) -> Image.Image:
    rows, columns = np.mgrid[:side, :side] - side // 2
    return Image.fromarray(np.where(rows**2 + columns**2 < radius**2, 255, 0).astype(np.uint8))


def test_post_processing_removes_specks_and_leaves_black_and_white() -> None:
    pytest.importorskip("skimage", reason="post-processing needs the refine extra")
    mask = disc()
    mask.putpixel((3, 3), 255)
    processed = refine.post_process(mask)
    values = np.asarray(processed)
    assert (processed.mode, processed.size) == ("L", mask.size)
    assert set(np.unique(values)) == {0, 255}
    assert values[3, 3] == 0
    assert (values != np.asarray(disc())).mean() < 0.03


@pytest.mark.parametrize(
    ("mask", "missing"), [(Image.new("L", (40, 40), 255), "background"), (Image.new("L", (40, 40), 0), "subject")]
)
def test_matting_of_a_mask_without_both_sides_is_refused_with_the_way_out(mask: Image.Image, missing: str) -> None:
    pytest.importorskip("scipy", reason="matting needs the refine extra")
    with pytest.raises(RefinementError, match=f"without certain {missing} for matting .* lower erode_size or leave"):
        refine.closed_form_matting(Image.new("RGB", (40, 40)), mask, Matting(erode_size=3))


def test_matting_that_erodes_the_subject_away_is_refused() -> None:
    pytest.importorskip("scipy", reason="matting needs the refine extra")
    with pytest.raises(RefinementError, match=r"without certain subject for matting \(thresholds 240 and 10, erosion"):
        refine.closed_form_matting(Image.new("RGB", (48, 48)), disc(), Matting(erode_size=40))


def test_matting_of_too_much_uncertainty_is_refused_before_it_takes_the_memory() -> None:
    pytest.importorskip("scipy", reason="matting needs the refine extra")
    vague = Image.new("L", (1100, 1000), 128)
    vague.paste(255, (0, 0, 30, 30))
    vague.paste(0, (60, 60, 90, 90))
    with pytest.raises(RefinementError, match=r"got 1,\d+,\d+ pixels that are neither .* at most 1,000,000; scale"):
        refine.closed_form_matting(Image.new("RGB", vague.size), vague, Matting())


def test_matting_without_anything_uncertain_keeps_the_mask() -> None:
    pytest.importorskip("pymatting", reason="matting needs the refine extra")
    cutout = refine.closed_form_matting(Image.new("RGB", (48, 48), (9, 99, 199)), disc(), Matting(erode_size=1))
    assert cutout.getchannel("A").tobytes() == disc().tobytes()


@pytest.mark.parametrize(
    "call", [lambda image, mask: refine.closed_form_matting(image, mask, Matting(erode_size=1)), refine.decontaminate]
)
def test_colours_of_more_pixels_than_memory_holds_are_refused_with_the_way_out(call: object) -> None:
    size = (5_001, 5_000)
    with pytest.raises(RefinementError, match=r"got 5001x5000 = 25,005,000 pixels; .* at most 25,000,000; scale it"):
        call(Image.new("RGB", size), Image.new("L", size, 255))


def test_equations_without_a_solution_are_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pymatting", reason="matting needs the refine extra")

    def diverge(*_equations: object, **_settings: object) -> np.ndarray:
        raise ValueError("Conjugate gradient descent did not converge within 10000 iterations")

    monkeypatch.setattr(sys.modules["pymatting.solver.cg"], "cg", diverge)
    with pytest.raises(RefinementError, match=r"has no solution \(Conjugate gradient descent did not converge"):
        refine.closed_form_matting(Image.new("RGB", (48, 48)), disc(), Matting(erode_size=3))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 2), (3, 3)])
def test_the_smallest_pictures_are_refined_too(size: tuple[int, int]) -> None:
    pytest.importorskip("pymatting", reason="refinements need the refine extra")
    mask = Image.new("L", size, 180)
    assert refine.post_process(mask).size == size
    cutout = refine.decontaminate(Image.new("RGB", size, (9, 99, 199)), mask)
    assert cutout.size == size
    assert cutout.getchannel("A").getextrema() == (180, 180)


def test_only_the_edge_of_the_subject_is_uncertain_and_not_that_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pymatting", reason="matting needs the refine extra")
    seen: list[np.ndarray] = []

    def solve(image: Image.Image, trimap: np.ndarray) -> np.ndarray:
        seen.append(trimap)
        return trimap / 255

    monkeypatch.setattr(refine, "_solved", solve)
    refine.closed_form_matting(Image.new("RGB", (48, 48)), disc(), Matting(erode_size=3))
    (trimap,) = seen
    assert set(np.unique(trimap)) == {0, 128, 255}
    assert trimap[24, 24] == 255
    assert trimap[24, 8] == 128
    assert not trimap[:4].any()
    assert not trimap[:, -4:].any()


@pytest.mark.parametrize(
    ("call", "library"),
    [
        (lambda image, mask: refine.post_process(mask), "scikit-image"),
        (lambda image, mask: refine.closed_form_matting(image, mask, Matting()), "pymatting"),
        (refine.decontaminate, "pymatting"),
    ],
)
def test_a_missing_library_is_named_with_the_command_that_installs_it(
    call: object, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("scipy", reason="the libraries go missing one by one here, scipy is not among them")
    for name in list(sys.modules):
        if name.split(".")[0] in {"skimage", "pymatting"}:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "skimage", None)
    monkeypatch.setitem(sys.modules, "pymatting", None)
    with pytest.raises(MissingLibraryError, match=rf"needs {library}, .* run pip install .*\[refine\]"):
        call(Image.new("RGB", (48, 48)), disc())


@pytest.mark.parametrize("beyond_border", [0, 1])
@pytest.mark.parametrize("side", [0, 1, 2, 5, 10])
def test_eroding_by_a_row_and_a_column_is_eroding_by_the_square(side: int, beyond_border: int) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="matting needs the refine extra")
    area = np.random.default_rng(side).random((31, 44)) < 0.97
    square = np.ones((side, side)) if side else None
    expected = ndimage.binary_erosion(area, structure=square, border_value=beyond_border)
    assert np.array_equal(refine._eroded(area, side, beyond_border), expected)


def test_the_largest_erosion_needs_no_more_memory_than_the_picture() -> None:
    pytest.importorskip("scipy", reason="matting needs the refine extra")
    # scipy's own table for a square of this side would be 33 GB.
    whole = np.ones((300, 300), dtype=bool)
    assert not refine._eroded(whole, 255, beyond_border=0)[:100].any()
    assert refine._eroded(whole, 255, beyond_border=1).all()
