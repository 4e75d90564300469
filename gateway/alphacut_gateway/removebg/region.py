"""``roi``: where the subject may be; all else is background."""

from __future__ import annotations

from dataclasses import dataclass

from alphacut_core.geometry import Box
from alphacut_gateway.removebg import length
from alphacut_gateway.removebg.length import Length
from alphacut_gateway.removebg.refusal import RemoveBgError

_WHOLE = "0% 0% 100% 100%"


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle by two of its corners."""

    corners: tuple[Length, Length, Length, Length]

    def box(self, width: int, height: int) -> Box:
        """Return the rectangle in an image of ``width`` x ``height`` pixels.

        Raises:
            RemoveBgError: It reaches beyond the image or holds no pixel.
        """
        x1, y1, x2, y2 = self.corners
        edges = x1.pixels(width), y1.pixels(height), x2.pixels(width), y2.pixels(height)
        if max(edges[0], edges[2]) > width or max(edges[1], edges[3]) > height:
            raise RemoveBgError(
                "roi_exceeds_bounds", f"got a roi that reaches beyond the image's {width}x{height} pixels"
            )
        left, top, right, bottom = map(round, edges)
        if right <= left or bottom <= top:
            raise RemoveBgError(
                "roi_region_empty", "got a roi without a pixel; give x1 y1 x2 y2 with x1 < x2 and y1 < y2"
            )
        return left, top, right, bottom


def parse(text: str | None) -> Region:
    """Read ``x1 y1 x2 y2``, each in px or %; None is the whole image.

    Raises:
        RemoveBgError: It is something else.
    """
    lengths = length.parse_all(text or _WHOLE)
    if lengths is None or len(lengths) != 4:
        raise RemoveBgError(
            "invalid_roi", f"got roi={str(text)[:40]!r}; give four lengths in px or %, as in '{_WHOLE}'"
        )
    x1, y1, x2, y2 = lengths
    return Region((x1, y1, x2, y2))


def scaled(box: Box, zoom_x: float, zoom_y: float) -> Box:
    """Return a box in an image that was resized; it keeps at least one pixel."""
    left, top = int(box[0] * zoom_x), int(box[1] * zoom_y)
    return left, top, max(left + 1, round(box[2] * zoom_x)), max(top + 1, round(box[3] * zoom_y))
