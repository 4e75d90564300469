"""Every wish that can be put into words, for tests that hold of all of them."""

from __future__ import annotations

from hypothesis import strategies as st

from alphacut_core.background import Blur, Checkerboard, Gradient
from alphacut_core.errors import InvalidOptionError
from alphacut_core.options import Crop, Matting, Options, Refine

_levels = st.integers(0, 255)
_colors = st.tuples(_levels, _levels, _levels, _levels)
_angles = st.floats(-360, 360, allow_nan=False)
backgrounds = (
    _colors
    | st.builds(Blur, st.floats(0, 40))
    | st.builds(Gradient, _colors, _colors, _angles)
    | st.builds(Checkerboard, st.integers(1, 50), _colors, _colors)
)
mattings = st.builds(Matting, _levels, _levels, st.integers(0, 255))
crops = st.builds(Crop, st.integers(0, 60), st.floats(0, 200), st.integers(1, 255))
refines = st.builds(
    Refine, st.integers(1, 20), st.integers(1, 10_000), st.floats(0.01, 600), st.sampled_from(["raise", "mask"])
)
_fields = {
    "output": st.sampled_from(["cutout", "mask"]),
    "color": st.sampled_from(["straight", "rembg"]),
    "decode": st.sampled_from(["exact", "fast"]),
    "format": st.sampled_from(["png", "webp", "avif", "jpeg"]),
    "background": st.none() | backgrounds,
    "post_process": st.booleans(),
    "matting": st.none() | mattings,
    "decontaminate": st.booleans(),
    "quality": st.none() | st.integers(0, 100),
    "lossless": st.booleans(),
    "png_level": st.none() | st.integers(0, 9),
    "threshold": st.none() | st.integers(1, 255),
    "fill_holes_px": st.integers(0, 500),
    "min_area_px": st.integers(0, 500),
    "erode_px": st.integers(0, 30),
    "dilate_px": st.integers(0, 30),
    "feather_px": st.floats(0, 30),
    "refine": st.none() | refines,
    "crop": st.none() | crops,
    "min_confidence": st.floats(0, 1),
}


def _options(given: dict[str, object]) -> Options | None:
    try:
        return Options(**given)  # type: ignore[arg-type]
    except InvalidOptionError:  # wishes that exclude each other
        return None


options = st.fixed_dictionaries({}, optional=_fields).map(_options).filter(lambda made: made is not None)
"""``Options`` with any of their fields set to anything that is allowed."""
