"""The pictures on which a network does worst, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from alphacut_core import file_names
from alphacut_training import pairs, predictor
from alphacut_training.evaluation import Judged
from alphacut_training.predictor import Saliency

_CELL = (240, 180)
_GAP = 8
_LABEL = 18
_PAPER, _INK = (250, 250, 250), (60, 60, 60)


def draw(judged: Sequence[Judged], networks: Sequence[tuple[str, Saliency]]) -> Image.Image:
    """Lay out one row a picture: the picture, its true mask, and each network's mask. RGB."""
    titles = ["picture", "truth", *(name for name, _ in networks)]
    width = _GAP + len(titles) * (_CELL[0] + _GAP)
    height = _LABEL + len(judged) * (_CELL[1] + _LABEL + _GAP) + _GAP
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for column, title in enumerate(titles):
        pen.text((_GAP + column * (_CELL[0] + _GAP), 2), title, _INK, font)
    for row, one in enumerate(judged):
        picture, truth = pairs.read(one.pair)
        masks = [Image.fromarray(predictor.mask(saliency(picture), picture)) for _, saliency in networks]
        top = _LABEL + row * (_CELL[1] + _LABEL + _GAP)
        for column, cell in enumerate((picture, truth, *masks)):
            fitted = ImageOps.contain(cell.convert("RGB"), _CELL)
            sheet.paste(fitted, (_GAP + column * (_CELL[0] + _GAP), top))
        label = f"{file_names.printable(one.pair.name)}  MAE {one.scores.mae:.3f}  {', '.join(one.groups)}"
        pen.text((_GAP, top + _CELL[1] + 2), label, _INK, font)
    return sheet
