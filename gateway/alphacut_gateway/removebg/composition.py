"""From a picture and its mask to what the parameters describe."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from alphacut_core import crop, render
from alphacut_core.background import behind
from alphacut_core.geometry import Box, Pixels
from alphacut_core.options import Options
from alphacut_gateway.removebg import region, resolution
from alphacut_gateway.removebg.refusal import RemoveBgError
from alphacut_gateway.removebg.wishes import Wishes


@dataclass(frozen=True, slots=True)
class Composition:
    """The finished picture.

    Attributes:
        picture: RGBA, or L where only the alpha channel was asked for.
        subject: Where the subject is in the uncropped picture, at the answer's scale.
        max_width: Columns that the answer would have in full size.
        max_height: Rows, likewise.
    """

    picture: Image.Image
    subject: Box
    max_width: int
    max_height: int


def compose(picture: Image.Image, mask: Pixels, wishes: Wishes, background: Image.Image | None) -> Composition:
    """Cut out, crop, place, and put a background behind.

    Args:
        picture: Upright, full size.
        mask: uint8 (S, S) of the engine.
        wishes: What to make of them.
        background: Picture to put behind, any 8-bit layout; covers, centred.

    Raises:
        RemoveBgError: There is no subject, or the region of interest does not fit.
    """
    roi = wishes.region.box(picture.width, picture.height)
    width, height = resolution.fit(picture.width, picture.height, resolution.largest(wishes.size, wishes.file_format))
    zoom_x, zoom_y = width / picture.width, height / picture.height
    cutout = _cutout(picture, mask, (width, height), region.scaled(roi, zoom_x, zoom_y))
    subject = _subject(cutout)
    canvas = wishes.margin.around(subject, zoom_x) if wishes.crop else (0, 0, width, height)
    placed = _placed(cutout, canvas, subject, wishes)
    finished = placed.getchannel("A") if wishes.channels == "alpha" else _backed(placed, wishes, background)
    return Composition(finished, subject, round(finished.width / zoom_x), round(finished.height / zoom_y))


def _cutout(picture: Image.Image, mask: Pixels, size: tuple[int, int], roi: Box) -> Image.Image:
    full = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    small = full if full.size == size else full.resize(size, Image.Resampling.LANCZOS)
    cutout = render.render(small, mask, Options())
    if roi != (0, 0, *size):
        alpha = Image.new("L", size)
        alpha.paste(cutout.getchannel("A").crop(roi), roi)
        cutout.putalpha(alpha)
    return cutout


def _subject(cutout: Image.Image) -> Box:
    subject = crop.subject_box(cutout.getchannel("A"))
    if subject is None:
        raise RemoveBgError(
            "unknown_foreground", "no pixel of the picture or of its region of interest looks like a subject"
        )
    return subject


def _placed(cutout: Image.Image, canvas: Box, subject: Box, wishes: Wishes) -> Image.Image:
    """Return the subject on its canvas, a box in the cut-out's coordinates that may reach beyond it."""
    width, height = canvas[2] - canvas[0], canvas[3] - canvas[1]
    moved = wishes.placement.scale is not None or wishes.placement.position is not None
    if not moved:
        return cutout if canvas == (0, 0, *cutout.size) else cutout.crop(canvas)
    left, top = subject[0] - canvas[0], subject[1] - canvas[1]
    source = left, top, left + subject[2] - subject[0], top + subject[3] - subject[1]
    target = wishes.placement.target(width, height, source)
    figure = cutout.crop(subject)
    size = target[2] - target[0], target[3] - target[1]
    if figure.size != size:
        figure = figure.resize(size, Image.Resampling.LANCZOS)
    placed = Image.new("RGBA", (width, height))
    placed.paste(figure, target[:2])
    return placed


def _backed(cutout: Image.Image, wishes: Wishes, background: Image.Image | None) -> Image.Image:
    given = background if wishes.background is None else wishes.background
    return cutout if given is None else behind(cutout, given, cutout, (0, 0, *cutout.size))
