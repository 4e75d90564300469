"""Colours as people write them."""

from __future__ import annotations

import re

from PIL import ImageColor

from alphacut_core.errors import InvalidOptionError

Rgba = tuple[int, int, int, int]
"""Red, green, blue, alpha, each 0 to 255; alpha 255 is opaque."""

_HEX = re.compile(r"#?((?:[0-9a-f]{3,4}){1,2})", re.IGNORECASE)
_NAME = re.compile(r"[a-z]{2,30}", re.IGNORECASE)


def parse(text: str) -> Rgba:
    """Read a colour: 3, 4, 6 or 8 hexadecimal digits with or without #, or a name of CSS.

    Raises:
        InvalidOptionError: It is neither.
    """
    digits = _HEX.fullmatch(text)
    if digits:
        return _from_hex(digits[1])
    if _NAME.fullmatch(text):
        try:
            color = ImageColor.getcolor(text, "RGBA")
        except ValueError:
            color = None
        if isinstance(color, tuple) and len(color) == 4:
            return color
    raise InvalidOptionError(
        f"got the colour {text[:40]!r}; give a name such as white, or rgb, rgba, rrggbb or rrggbbaa"
    )


def _from_hex(digits: str) -> Rgba:
    if len(digits) < 6:
        digits = "".join(2 * digit for digit in digits)
    red, green, blue, alpha = (int(digits[start : start + 2] or "ff", 16) for start in (0, 2, 4, 6))
    return red, green, blue, alpha
