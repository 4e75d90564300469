"""remove.bg's little languages: lengths, regions, margins, scales, sizes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphacut_gateway.removebg import length, margin, placement, region, resolution, wishes
from alphacut_gateway.removebg.refusal import TITLES, RemoveBgError

SIDE = st.integers(1, 5000)


def refused_by(function: Callable[..., object], *arguments: object) -> RemoveBgError | None:
    try:
        function(*arguments)
    except RemoveBgError as error:
        return error
    return None


@given(st.text(alphabet="0123456789.px% -+eacntrl", max_size=24))
def test_a_text_is_read_or_refused_by_its_code(text: str) -> None:
    for parse in (
        region.parse,
        margin.parse,
        lambda text: placement.parse(text, None),
        lambda text: placement.parse(None, text),
        lambda text: wishes.parse({"roi": text, "crop_margin": text, "scale": text, "bg_color": text}, False),
    ):
        refusal = refused_by(parse, text)
        assert refusal is None or refusal.contract_code in TITLES


@given(st.integers(0, 999_999), st.sampled_from(["px", "%"]))
def test_a_length_is_the_number_it_writes(value: int, unit: str) -> None:
    read = length.parse(f"{value}{unit}")
    assert read is not None
    assert read.pixels(200, zoom=0.5) == (2 * value if unit == "%" else value / 2)


@given(SIDE, SIDE, st.lists(st.integers(0, 100), min_size=4, max_size=4))
def test_a_region_lies_inside_its_image_or_is_refused(width: int, height: int, corners: list[int]) -> None:
    read = region.parse(" ".join(f"{corner}%" for corner in corners))
    refusal = refused_by(read.box, width, height)
    if refusal is not None:
        assert refusal.contract_code == "roi_region_empty"
        return
    left, top, right, bottom = read.box(width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


@given(SIDE, SIDE, st.floats(0.01, 60))
def test_an_image_is_fitted_below_its_size_and_no_further(width: int, height: int, megapixels: float) -> None:
    columns, rows = resolution.fit(width, height, megapixels)
    assert 1 <= columns <= width
    assert 1 <= rows <= height
    assert columns * rows <= megapixels * 1e6
    if width * height <= megapixels * 1e6:
        assert (columns, rows) == (width, height)


@given(SIDE, SIDE, st.integers(10, 100), st.integers(0, 100), st.integers(0, 100))
def test_a_scaled_subject_stays_on_its_canvas(width: int, height: int, scale: int, x: int, y: int) -> None:
    subject = (0, 0, max(1, width // 3), max(1, height // 2))
    left, top, right, bottom = placement.parse(f"{scale}%", f"{x}% {y}%").target(width, height, subject)
    assert 0 <= left < right <= width + 1
    assert 0 <= top < bottom <= height + 1


def test_margins_go_round_clockwise_from_the_top() -> None:
    read = margin.parse("1px 2px 3px 4px").around((100, 100, 200, 300), zoom=2.0)
    assert read == (100 - 8, 100 - 2, 200 + 4, 300 + 6)
    assert margin.parse("10% 20%").around((0, 0, 100, 200), zoom=1.0) == (-20, -20, 120, 220)
    assert margin.parse(None).around((1, 2, 3, 4), zoom=1.0) == (1, 2, 3, 4)


@pytest.mark.parametrize(("width", "height", "expected"), [(625, 400, 1), (1600, 1200, 2), (1000, 1000, 1)])
def test_an_image_costs_its_megapixels_rounded_up(width: int, height: int, expected: int) -> None:
    assert resolution.cost(width, height) == expected
