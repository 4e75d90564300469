"""What goes behind a cut-out, as callers write it into an address."""

from __future__ import annotations

from alphacut_core import colors
from alphacut_core.background import Blur, Checkerboard, Gradient
from alphacut_core.colors import Rgba
from alphacut_core.errors import InvalidOptionError


def parse(text: str) -> Rgba | Blur | Gradient | Checkerboard:
    """Read a colour, ``blur`` or ``blur:RADIUS``, ``checkerboard``, or ``gradient:COLOUR,COLOUR``.

    Raises:
        InvalidOptionError: It is none of them.
    """
    kind, _, detail = text.partition(":")
    if kind == "blur":
        return Blur() if not detail else Blur(_number(detail))
    if text == "checkerboard":
        return Checkerboard()
    if kind == "gradient":
        start, comma, end = detail.partition(",")
        if not comma:
            raise InvalidOptionError(f"got the gradient {detail[:40]!r}; give two colours, as in gradient:red,blue")
        return Gradient(colors.parse(start), colors.parse(end))
    return colors.parse(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidOptionError(f"got the radius {text[:40]!r}; give pixels, as in blur:20") from error
