"""What can be put behind a cut-out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from alphacut_core import checks, codec, opened
from alphacut_core.colors import Rgba
from alphacut_core.geometry import Box, to_rgb

_WHITE = (255, 255, 255, 255)
_GREY = (204, 204, 204, 255)
_MAX_PX = 1_000


@dataclass(frozen=True, slots=True)
class Blur:
    """The picture itself, out of focus.

    Attributes:
        radius_px: Standard deviation of the Gaussian, in pixels of the picture, 0 to 1,000.
    """

    radius_px: float = 20.0

    def __post_init__(self) -> None:
        checks.keep(self, radius_px=checks.number("background.radius_px", self.radius_px, 0, _MAX_PX))


@dataclass(frozen=True, slots=True)
class Gradient:
    """One colour that becomes another along a straight line through the result.

    Attributes:
        start: Colour where the line begins.
        end: Colour where it ends.
        angle_degrees: Where the line points: 0 to the right, 90 down; -360 to 360.
    """

    start: Rgba
    end: Rgba
    angle_degrees: float = 90.0

    def __post_init__(self) -> None:
        checks.keep(
            self,
            start=checks.rgba("background.start", self.start),
            end=checks.rgba("background.end", self.end),
            angle_degrees=checks.number("background.angle_degrees", self.angle_degrees, -360, 360),
        )


@dataclass(frozen=True, slots=True)
class Checkerboard:
    """The pattern that picture editors show for transparency.

    Attributes:
        tile_px: Side of a square, 1 to 1,000 pixels.
        light: Colour of the first square, top left.
        dark: Colour of its neighbours.
    """

    tile_px: int = 16
    light: Rgba = _WHITE
    dark: Rgba = _GREY

    def __post_init__(self) -> None:
        checks.keep(
            self,
            tile_px=checks.integer("background.tile_px", self.tile_px, 1, _MAX_PX),
            light=checks.rgba("background.light", self.light),
            dark=checks.rgba("background.dark", self.dark),
        )


Background: TypeAlias = Rgba | Blur | Gradient | Checkerboard | Image.Image
"""A colour, the blurred original, a pattern, or a picture that covers the result, upright and centred."""


def is_opaque(background: Background) -> bool:
    """Return whether nothing shines through; of a picture only whether its layout has no transparency."""
    if isinstance(background, Blur):
        return True
    if isinstance(background, Image.Image):
        return not background.has_transparency_data
    if isinstance(background, tuple):
        return background[3] == 255
    colors = (background.start, background.end) if isinstance(background, Gradient) else _tiles(background)
    return all(color[3] == 255 for color in colors)


def behind(cutout: Image.Image, background: Background, picture: Image.Image, box: Box) -> Image.Image:
    """Put a background behind a cut-out.

    Args:
        cutout: RGBA.
        background: What to put there. Gradients, checkerboards and pictures fill the cut-out as it is, cropped
            or not; a picture is scaled to cover it and cut at both sides alike.
        picture: The original at its full size, any 8-bit layout; only ``Blur`` looks at it.
        box: The part of ``picture`` that ``cutout`` shows.

    Returns:
        RGBA of the cut-out's size.

    Raises:
        UndecodableImageError: The file behind a picture that was opened but not loaded is broken.
        UnsupportedImageError: A picture has floating-point or 32-bit pixels.
    """
    return Image.alpha_composite(_painted(background, cutout.size, picture, box), cutout)


def _painted(background: Background, size: tuple[int, int], picture: Image.Image, box: Box) -> Image.Image:
    if isinstance(background, Blur):
        blurred = to_rgb(picture).filter(ImageFilter.GaussianBlur(background.radius_px))
        return blurred.crop(box).convert("RGBA")
    if isinstance(background, Gradient):
        return _gradient(background, *size)
    if isinstance(background, Checkerboard):
        return _checkerboard(background, *size)
    if isinstance(background, Image.Image):
        opened.load(background, "a background's pixels")  # all images of a batch share it
        upright = codec.upright(background).convert("RGBA")
        return ImageOps.fit(upright, size, Image.Resampling.LANCZOS)
    return Image.new("RGBA", size, background)


def _gradient(gradient: Gradient, width: int, height: int) -> Image.Image:
    angle = math.radians(gradient.angle_degrees)
    across = (np.arange(width) - (width - 1) / 2) * math.cos(angle)
    down = (np.arange(height) - (height - 1) / 2) * math.sin(angle)
    length = abs((width - 1) * math.cos(angle)) + abs((height - 1) * math.sin(angle))
    share = np.add.outer(down, across) / max(length, 1.0) + 0.5  # (H, W), 0 to 1 from corner to corner
    start, end = (np.array(color, np.float32) for color in (gradient.start, gradient.end))
    steps = np.linspace(start, end, 1025)  # a table, since four channels of floats would be 16 bytes a pixel
    table = np.clip(np.rint(steps), 0, 255).astype(np.uint8)
    return Image.fromarray(table[np.clip(share * 1024, 0, 1024).astype(np.uint16)])


def _checkerboard(pattern: Checkerboard, width: int, height: int) -> Image.Image:
    odd = np.add.outer(np.arange(height) // pattern.tile_px, np.arange(width) // pattern.tile_px) % 2  # (H, W)
    return Image.fromarray(np.array(_tiles(pattern), np.uint8)[odd])


def _tiles(pattern: Checkerboard) -> tuple[Rgba, Rgba]:
    return pattern.light, pattern.dark
