"""Backgrounds as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphacut_core import backdrops
from alphacut_core.background import Blur, Checkerboard, Gradient
from alphacut_core.errors import InvalidOptionError

RED, BLUE = (255, 0, 0, 255), (0, 0, 255, 255)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("red", RED),
        ("#00f", BLUE),
        ("blur", Blur()),
        ("blur:7.5", Blur(7.5)),
        ("checkerboard", Checkerboard()),
        ("checkerboard:8", Checkerboard(8)),
        ("gradient:red,#0000ff", Gradient(RED, BLUE)),
        ("gradient:red, blue, -45", Gradient(RED, BLUE, -45)),
    ],
)
def test_a_background_is_what_was_written(text: str, meant: object) -> None:
    assert backdrops.parse(text) == meant


@pytest.mark.parametrize("text", ["blur:nan", "blur:1e3", "blur:-1", "checkerboard:0", "gradient:", "gradient:red"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidOptionError, match="got"):
        backdrops.parse(text)


@given(text=st.text(max_size=40) | st.text("blurgradientcheckerboard:,.0123456789-#", max_size=40))
def test_any_text_is_a_background_or_refused(text: str) -> None:
    try:
        backdrops.parse(text)
    except InvalidOptionError as error:
        assert len(str(error)) < 300  # noqa: PT017  most texts are refused, some are not
