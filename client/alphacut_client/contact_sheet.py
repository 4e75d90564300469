"""One picture that shows many cut-outs: original, mask, on a checkerboard, on a colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont, ImageOps

from alphacut_core import background
from alphacut_core.background import Background, Checkerboard

_COLUMNS = ("original", "mask", "cut-out", "on a colour")
_CELL_PX = (330, 220)
_GAP_PX = 12
_LABEL_PX = 22
_FONT_PX = 14
_PAPER = (250, 250, 250)
_MARGIN = (238, 238, 238)
_INK = (70, 70, 70)
_TILES = Checkerboard(tile_px=12)
_BACKDROP = (46, 134, 222, 255)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the sheet.

    Attributes:
        name: Shown below the original.
        original: Upright, any mode.
        cutout: RGBA of the same size, straight alpha.
    """

    name: str
    original: Image.Image
    cutout: Image.Image


def draw(rows: Iterable[Row]) -> Image.Image:
    """Lay out a contact sheet: one row for each photograph, every cell of the same size.

    Returns:
        RGB.
    """
    lines = [(row.name, _cells(row)) for row in rows]
    width = _left(len(_COLUMNS))
    height = _top(len(lines))
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_FONT_PX)
    for column, title in enumerate(_COLUMNS):
        pen.text((_left(column), _GAP_PX // 2), title, _INK, font)
    for number, (name, cells) in enumerate(lines):
        for column, cell in enumerate(cells):
            sheet.paste(cell, (_left(column), _top(number)))
        pen.text((_left(0), _top(number) + _CELL_PX[1] + _GAP_PX // 4), name, _INK, font)
    return sheet


def _left(column: int) -> int:
    return _GAP_PX + column * (_CELL_PX[0] + _GAP_PX)


def _top(row: int) -> int:
    return _LABEL_PX + _GAP_PX // 2 + row * (_CELL_PX[1] + _LABEL_PX + _GAP_PX)


def _cells(row: Row) -> list[Image.Image]:
    original = ImageOps.contain(row.original.convert("RGB"), _CELL_PX)
    cutout = ImageOps.contain(row.cutout, _CELL_PX)
    views = [
        original,
        cutout.getchannel("A").convert("RGB"),
        _over(_TILES, cutout),
        _over(_BACKDROP, cutout),
    ]
    return [ImageOps.pad(view, _CELL_PX, color=_MARGIN) for view in views]


def _over(backdrop: Background, cutout: Image.Image) -> Image.Image:
    return background.behind(cutout, backdrop, cutout, (0, 0, *cutout.size)).convert("RGB")
