"""Cropping to the subject never loses a piece of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from alphacut_core import crop
from alphacut_core.crop import Crop
from alphacut_core.errors import InvalidOptionError, NoSubjectError
from alphacut_core.geometry import Pixels

alphas = arrays.arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30)))
crops = st.builds(Crop, st.integers(0, 40), st.floats(0, 200), st.integers(1, 255))


@given(alpha=alphas, asked=crops)
def test_a_crop_holds_every_visible_pixel_and_stays_inside_the_picture(alpha: Pixels, asked: Crop) -> None:
    assume((alpha >= asked.alpha_from).any())
    left, top, right, bottom = asked.box(Image.fromarray(alpha))
    assert 0 <= left < right <= alpha.shape[1]
    assert 0 <= top < bottom <= alpha.shape[0]
    outside = alpha.copy()
    outside[top:bottom, left:right] = 0
    assert not (outside >= asked.alpha_from).any()


@given(alpha=alphas, alpha_from=st.integers(1, 255))
def test_without_a_margin_a_crop_is_tight(alpha: Pixels, alpha_from: int) -> None:
    visible = alpha >= alpha_from
    box = crop.subject_box(Image.fromarray(alpha), alpha_from)
    if not visible.any():
        assert box is None
        return
    assert box is not None
    inside = visible[box[1] : box[3], box[0] : box[2]]
    assert all(edge.any() for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))


def test_margins_are_pixels_and_shares_of_the_subject() -> None:
    alpha = Image.new("L", (200, 100))
    alpha.paste(255, (50, 40, 90, 60))  # 40 x 20
    assert Crop().box(alpha) == (50, 40, 90, 60)
    assert Crop(margin_px=5).box(alpha) == (45, 35, 95, 65)
    assert Crop(margin_percent=10).box(alpha) == (46, 38, 94, 62)
    assert Crop(margin_px=5, margin_percent=10).box(alpha) == (41, 33, 99, 67)
    assert Crop(margin_percent=100).box(alpha) == (10, 20, 130, 80)
    assert Crop(margin_px=1_000).box(alpha) == (0, 0, 200, 100)


def test_nothing_to_crop_to_is_no_subject() -> None:
    with pytest.raises(NoSubjectError, match="no alpha reaches 13 of 255; leave crop out, or lower alpha_from"):
        Crop().box(Image.new("L", (9, 9), 12))


@pytest.mark.parametrize(
    "wrong",
    [
        {"margin_px": -1},
        {"margin_percent": float("nan")},
        {"margin_percent": 1_001},
        {"alpha_from": 0},
        {"alpha_from": 256},
    ],
)
def test_what_is_no_margin_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidOptionError, match="allowed are"):
        Crop(**wrong)  # type: ignore[arg-type]
