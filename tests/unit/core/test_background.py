"""What is put behind a cut-out is where it should be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from alphacut_core import background
from alphacut_core.background import Blur, Checkerboard, Gradient
from alphacut_core.errors import InvalidOptionError, UnsupportedImageError

RED, BLUE, CLEAR = (255, 0, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)
sides = st.integers(1, 60)


def behind_nothing(asked: background.Background, width: int, height: int) -> np.ndarray:
    """What shows where the cut-out is wholly transparent: uint8 (H, W, 4)."""
    cutout = Image.new("RGBA", (width, height), CLEAR)
    picture = Image.new("RGB", (width, height), (10, 20, 30))
    return np.asarray(background.behind(cutout, asked, picture, (0, 0, width, height)))


@pytest.mark.parametrize(
    ("angle_degrees", "first", "last"),
    [(0, (5, 0), (5, 29)), (90, (0, 5), (19, 5)), (180, (5, 29), (5, 0)), (45, (0, 0), (19, 29))],
)
def test_a_gradient_runs_from_its_start_to_its_end(
    angle_degrees: float, first: tuple[int, int], last: tuple[int, int]
) -> None:
    made = behind_nothing(Gradient(RED, BLUE, angle_degrees), 30, 20)
    assert tuple(made[first]) == RED
    assert tuple(made[last]) == BLUE
    middle = made[10, 15].astype(int)
    assert abs(middle[0] - middle[2]) < 30


@given(width=sides, height=sides, angle_degrees=st.floats(-360, 360))
def test_a_gradient_has_only_colours_between_its_ends(width: int, height: int, angle_degrees: float) -> None:
    made = behind_nothing(Gradient((10, 200, 0, 255), (60, 100, 0, 255), angle_degrees), width, height)
    assert made.shape == (height, width, 4)
    assert made[..., 0].min() >= 10
    assert made[..., 0].max() <= 60
    assert (made[..., 3] == 255).all()


def test_a_checkerboard_begins_light_and_alternates() -> None:
    made = behind_nothing(Checkerboard(4, RED, BLUE), 12, 12)
    assert [tuple(made[0, x]) for x in (0, 3, 4, 8)] == [RED, RED, BLUE, RED]
    assert [tuple(made[y, 0]) for y in (0, 4, 8)] == [RED, BLUE, RED]


def test_a_blur_is_of_the_part_of_the_picture_that_the_cutout_shows() -> None:
    picture = Image.new("RGB", (100, 50), (255, 0, 0))
    picture.paste((0, 0, 255), (50, 0, 100, 50))
    made = background.behind(Image.new("RGBA", (30, 50)), Blur(3), picture, (70, 0, 100, 50))
    assert made.size == (30, 50)
    assert made.getpixel((20, 25)) == BLUE
    near = background.behind(Image.new("RGBA", (10, 50)), Blur(3), picture, (45, 0, 55, 50)).getpixel((5, 25))
    assert 60 < near[0] < 200


def test_a_picture_covers_the_result_and_keeps_its_proportions() -> None:
    wide = Image.new("RGB", (300, 100), (255, 0, 0))
    wide.paste((0, 0, 255), (100, 0, 200, 100))
    made = behind_nothing(wide, 50, 50)
    assert (made[:, 4:46] == BLUE).all(), "the middle third, centred"


def test_a_photograph_is_turned_as_its_camera_was_held() -> None:
    sideways = Image.new("RGB", (40, 20), (0, 0, 255))
    sideways.paste((255, 0, 0), (0, 0, 20, 20))
    sideways.getexif()[ExifTags.Base.Orientation] = 6
    made = behind_nothing(sideways, 20, 40)
    assert (made[:16] == RED).all(), "what the file has at the left is at the top"
    assert (made[24:] == BLUE).all()
    assert sideways.size == (40, 20), "the caller's own stays as it was"


def test_a_deep_grey_picture_keeps_its_shades() -> None:
    assert (behind_nothing(Image.fromarray(np.full((8, 8), 0x4080, np.uint16)), 8, 8) == (64, 64, 64, 255)).all()


def test_a_picture_of_an_unknown_range_is_refused() -> None:
    with pytest.raises(UnsupportedImageError, match="floating-point pixels"):
        behind_nothing(Image.new("F", (8, 8), 0.5), 8, 8)


def test_the_subject_stays_before_the_background() -> None:
    cutout = Image.new("RGBA", (4, 4), (1, 2, 3, 255))
    for asked in (RED, Blur(), Gradient(RED, BLUE), Checkerboard(), Image.new("RGB", (2, 2))):
        made = background.behind(cutout, asked, Image.new("RGB", (4, 4)), (0, 0, 4, 4))
        assert made.tobytes() == cutout.tobytes()


@pytest.mark.parametrize(
    ("asked", "opaque"),
    [
        (RED, True),
        ((1, 2, 3, 254), False),
        (Blur(), True),
        (Gradient(RED, BLUE), True),
        (Gradient(RED, CLEAR), False),
        (Checkerboard(), True),
        (Checkerboard(dark=CLEAR), False),
        (Image.new("RGB", (1, 1)), True),
        (Image.new("RGBA", (1, 1)), False),
    ],
)
def test_it_is_known_what_shines_through(asked: background.Background, opaque: bool) -> None:
    assert background.is_opaque(asked) == opaque


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Blur(-1),
        lambda: Blur(float("inf")),
        lambda: Gradient((0, 0, 0), BLUE),  # type: ignore[arg-type]
        lambda: Gradient(RED, BLUE, 361),
        lambda: Checkerboard(0),
        lambda: Checkerboard(light=(0, 0, 0, 256)),
    ],
)
def test_what_cannot_be_painted_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidOptionError, match="got background"):
        wrong()  # type: ignore[operator]
