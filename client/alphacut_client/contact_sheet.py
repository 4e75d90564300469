"""One picture that shows many cut-outs: original, mask, on a checkerboard, on a colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

_COLUMNS = ("original", "mask", "cut-out", "on a colour")
_CELL_PX = (330, 220)
_GAP_PX = 12
_LABEL_PX = 22
_FONT_PX = 14
_TILE_PX = 12
_PAPER = (250, 250, 250)
_MARGIN = (238, 238, 238)
_INK = (70, 70, 70)
_TILES = (255, 204)
_BACKDROP = (46, 134, 222)


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
        _over(_checkerboard(cutout.width, cutout.height), cutout),
        _over(Image.new("RGB", cutout.size, _BACKDROP), cutout),
    ]
    return [ImageOps.pad(view, _CELL_PX, color=_MARGIN) for view in views]


def _over(backdrop: Image.Image, cutout: Image.Image) -> Image.Image:
    backdrop.paste(cutout, mask=cutout.getchannel("A"))
    return backdrop


def _checkerboard(width: int, height: int) -> Image.Image:
    odd = np.add.outer(np.arange(height) // _TILE_PX, np.arange(width) // _TILE_PX) % 2  # (H, W)
    return Image.fromarray(np.where(odd, _TILES[1], _TILES[0]).astype(np.uint8)).convert("RGB")
