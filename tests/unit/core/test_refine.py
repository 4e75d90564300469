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
    with pytest.raises(MissingLibraryError, match=rf"needs {library}, .*pip install \"alphacut\[refine\]\" there"):
        call(Image.new("RGB", (48, 48)), disc())


@pytest.mark.parametrize("beyond_border", [0, 1])
@pytest.mark.parametrize("side", [0, 1, 2, 5, 10])
def test_eroding_by_a_row_and_a_column_is_eroding_by_the_square(side: int, beyond_border: int) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    area = np.random.default_rng(side).random((31, 44)) < 0.97
    square = np.ones((side, side)) if side else None
    expected = ndimage.binary_erosion(area, structure=square, border_value=beyond_border)
    assert np.array_equal(refine._eroded(area, side, beyond_border), expected)


def test_the_largest_erosion_needs_no_more_memory_than_the_picture() -> None:
    # scipy's own table for a square of this side would be 33 GB.
    whole = np.ones((300, 300), dtype=bool)
    assert not refine._eroded(whole, 255, beyond_border=0)[:100].any()
    assert refine._eroded(whole, 255, beyond_border=1).all()
