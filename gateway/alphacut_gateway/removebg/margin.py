"""``crop_margin``: room around the cropped subject."""

from __future__ import annotations

from dataclasses import dataclass

from alphacut_core import crop
from alphacut_core.geometry import Box
from alphacut_gateway.removebg import length
from alphacut_gateway.removebg.length import Length
from alphacut_gateway.removebg.refusal import RemoveBgError

_MAX_PERCENT = 50
_MAX_PIXELS = 500


@dataclass(frozen=True, slots=True)
class Margin:
    """Room on each side; per cent are of the subject's height (top, bottom) or width (right, left)."""

    top: Length
    right: Length
    bottom: Length
    left: Length

    def around(self, subject: Box, zoom: float) -> Box:
        """Return ``subject`` with this room around it; it may reach beyond the image.

        Args:
            subject: The subject's box.
            zoom: Pixels that one pixel of the original has become.
        """
        width, height = subject[2] - subject[0], subject[3] - subject[1]
        margins = (
            round(self.top.pixels(height, zoom)),
            round(self.right.pixels(width, zoom)),
            round(self.bottom.pixels(height, zoom)),
            round(self.left.pixels(width, zoom)),
        )
        return crop.around(subject, margins)


def parse(text: str | None) -> Margin:
    """Read one length (all sides), two (top and bottom, left and right) or four (top, right, bottom, left).

    Raises:
        RemoveBgError: It is something else, or more than 50 % of the subject or 500 px a side.
    """
    lengths = length.parse_all(text or "0")
    if lengths is None or len(lengths) not in (1, 2, 4):
        raise RemoveBgError(
            "invalid_crop_margin", f"got crop_margin={str(text)[:40]!r}; give 1, 2 or 4 lengths in px or %"
        )
    if any(each.value > (_MAX_PERCENT if each.percent else _MAX_PIXELS) for each in lengths):
        raise RemoveBgError(
            "invalid_crop_margin",
            f"got crop_margin={str(text)[:40]!r}; at most {_MAX_PERCENT}% or {_MAX_PIXELS}px a side are allowed",
        )
    if len(lengths) == 1:
        return Margin(*4 * lengths)
    if len(lengths) == 2:
        return Margin(*2 * lengths)
    return Margin(*lengths)
