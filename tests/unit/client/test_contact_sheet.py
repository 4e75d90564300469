"""The contact sheet shows what was cut out, in even cells."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from alphacut_client import contact_sheet

CELL = contact_sheet._CELL_PX
GAP = contact_sheet._GAP_PX


def row(name: str, size: tuple[int, int]) -> contact_sheet.Row:
    """A green picture of which only the left half is left."""
    original = Image.new("RGB", size, (0, 200, 0))
    cutout = original.convert("RGBA")
    cutout.paste((0, 200, 0, 0), (size[0] // 2, 0, *size))
    return contact_sheet.Row(name, original, cutout)


def cell(sheet: Image.Image, line: int, column: int) -> np.ndarray:
    left, top = contact_sheet._left(column), contact_sheet._top(line)
    return np.asarray(sheet.crop((left, top, left + CELL[0], top + CELL[1])))


def test_each_photograph_is_a_row_of_original_mask_checkerboard_and_colour() -> None:
    sheet = contact_sheet.draw([row("first", (660, 440)), row("second", (660, 440))])
    for line in (0, 1):
        original, mask, board, colour = (cell(sheet, line, column) for column in range(4))
        middle, left, right = CELL[1] // 2, CELL[0] // 4, CELL[0] * 3 // 4
        assert original[middle, right].tolist() == [0, 200, 0]
        assert (mask[middle, left].tolist(), mask[middle, right].tolist()) == ([255] * 3, [0] * 3)
        assert board[middle, left].tolist() == colour[middle, left].tolist() == [0, 200, 0]
        assert {tuple(value) for value in board[:, CELL[0] - 60 :].reshape(-1, 3).tolist()} == {
            (204, 204, 204),
            (255, 255, 255),
        }
        assert colour[middle, right].tolist() == list(contact_sheet._BACKDROP[:3])


@pytest.mark.parametrize("size", [(640, 427), (100, 900), (900, 100), (1, 1)])
def test_cells_are_even_whatever_the_photographs_shape(size: tuple[int, int]) -> None:
    sheet = contact_sheet.draw([row("any", size), row("other", (30, 20))])
    assert sheet.size == contact_sheet.draw([row("a", (330, 220)), row("b", (330, 220))]).size


def test_names_and_titles_are_written() -> None:
    named = np.asarray(contact_sheet.draw([row("dahlia", (330, 220))])).astype(int)
    nameless = np.asarray(contact_sheet.draw([row("", (330, 220))])).astype(int)
    different = np.abs(named - nameless).sum(axis=(1, 2)) > 0
    assert different.any()
    assert not different[: contact_sheet._top(0) + CELL[1]].any()
    assert (named[:GAP] < 100).any()
