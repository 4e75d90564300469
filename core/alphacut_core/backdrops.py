"""Backgrounds as people write them, on a command line or in an address."""

from __future__ import annotations

import re

from alphacut_core import colors
from alphacut_core.background import Blur, Checkerboard, Gradient
from alphacut_core.colors import Rgba
from alphacut_core.errors import InvalidOptionError

_NUMBER = re.compile(r"-?[0-9]{1,6}(?:\.[0-9]{1,6})?", re.ASCII)


def parse(text: str) -> Rgba | Blur | Gradient | Checkerboard:
    """Read a colour, ``blur[:PX]``, ``checkerboard[:PX]`` or ``gradient:FROM,TO[,DEGREES]``.

    Raises:
        InvalidOptionError: It is none of them, or a number is none or out of range.
    """
    kind, _, detail = text.partition(":")
    if kind == "blur":
        return Blur(_number(detail)) if detail else Blur()
    if kind == "checkerboard":
        return Checkerboard(round(_number(detail))) if detail else Checkerboard()
    if kind == "gradient":
        parts = detail.split(",")
        if len(parts) not in (2, 3):
            raise InvalidOptionError(f"got the gradient {detail[:40]!r}; give two colours, as in gradient:red,blue")
        ends = colors.parse(parts[0].strip()), colors.parse(parts[1].strip())
        return Gradient(*ends) if len(parts) == 2 else Gradient(*ends, _number(parts[2]))
    return colors.parse(text)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text.strip()):
        raise InvalidOptionError(f"got {text[:40]!r} where a number is needed, as in blur:20")
    return float(text)
