"""Colours as rembg's callers write them; ``alphacut_core.colors`` reads everybody else's."""

from __future__ import annotations

import re

from alphacut_core.colors import Rgba
from alphacut_core.errors import InvalidOptionError


def parse_decimal(text: str) -> Rgba:
    """Read a colour as rembg's: four whole numbers from 0 to 255 with commas between them.

    Raises:
        InvalidOptionError: It is something else.
    """
    parts = text.split(",")
    channels = [int(part) for part in parts if re.fullmatch(r"\s*[0-9]{1,3}\s*", part, re.ASCII)]
    if len(parts) != 4 or len(channels) != 4 or max(channels) > 255:
        raise InvalidOptionError(f"got the colour {text[:40]!r}; give red,green,blue,alpha, each from 0 to 255")
    red, green, blue, alpha = channels
    return red, green, blue, alpha
