"""The equations of closed-form matting: pymatting's own numbers, to the last bit, in memory of the unknown pixels.

pymatting's Laplacian takes 400 bytes for every pixel of a picture. Each of its rows is a sum over windows of 3 x 3
pixels, so none reaches farther than two pixels: here it is computed tile by tile, with two pixels more on each side,
and only the rows of unknown pixels are kept, in the order of its own sums.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
from PIL import Image

from alphacut_core.geometry import Pixels
from alphacut_core.libraries import library

Progress = Callable[..., None]

_TILE_PX = 192
_REACH_PX = 2
_NEIGHBOURS = (2 * _REACH_PX + 1) ** 2  # pymatting keeps so many of every pixel: zeros where the picture ends


def solve(
    rgb: Image.Image,
    trimap: Pixels,
    unknown: np.ndarray,
    progress: Progress = lambda *_: None,
    most_entries_a_row: int | None = None,
) -> np.ndarray:
    """Return the alpha of the unknown pixels.

    Args:
        rgb: Mode RGB.
        trimap: uint8 (H, W), 255 where the subject is certain.
        unknown: bool (H, W).
        progress: Called before each part of the work, and with what the solver tells; may raise.
        most_entries_a_row: Of the preconditioner; None leaves it to pymatting.

    Returns:
        float64 (n,), about 0 to 1, for n unknown pixels in rows-first order.

    Raises:
        MissingLibraryError: pymatting is not installed.
        ValueError: There is no solution.
    """
    with library("pymatting"):
        from pymatting.preconditioner.ichol import ichol
        from pymatting.solver.cg import cg
    known_part, own_part = equations(rgb, trimap, unknown, progress)
    bound = {} if most_entries_a_row is None else {"max_nnz": most_entries_a_row * len(known_part)}
    preconditioner = _without_prints(ichol)(own_part, **bound)
    progress()
    alpha: np.ndarray = cg(own_part, -known_part, M=preconditioner, callback=progress)
    return alpha


def equations(
    rgb: Image.Image, trimap: Pixels, unknown: np.ndarray, progress: Progress = lambda *_: None
) -> tuple[np.ndarray, Any]:
    """Return the Laplacian's rows of unknown pixels: their sum over certain subject, and the unknown columns.

    Args:
        rgb: Mode RGB.
        trimap: uint8 (H, W), 255 where the subject is certain.
        unknown: bool (H, W).
        progress: Called before each tile; may raise.

    Returns:
        float64 (n,), and a CSR matrix of scipy's (n, n), for n unknown pixels in rows-first order.

    Raises:
        MissingLibraryError: pymatting is not installed.
    """
    with library("pymatting"):
        from scipy import sparse
    number = np.full(unknown.shape, -1, np.int32)  # of each unknown pixel
    count = int(np.count_nonzero(unknown))
    number[unknown] = np.arange(count, dtype=np.int32)
    values = _rows(rgb, unknown, number, progress)
    columns = _columns(unknown)
    is_subject = (trimap == 255).ravel()
    known_part = np.zeros(count)
    for neighbour in range(_NEIGHBOURS):  # one by one, as a sparse matrix adds up its rows
        known_part += values[:, neighbour] * is_subject[columns[:, neighbour]]
    numbers = number.ravel()[columns]
    is_own = numbers >= 0
    ends = np.concatenate([[0], np.cumsum(is_own.sum(axis=1))])
    return known_part, sparse.csr_matrix((values[is_own], numbers[is_own], ends), (count, count))


def _without_prints(function: Any) -> Callable[..., Any]:
    """Return a function of Python's that does the same and prints nothing, for this caller alone.

    pymatting remarks on equations that it has to ease, as those of flat colours: on standard output, where somebody's
    image may be on its way.
    """
    names = {**function.__globals__, "print": lambda *_: None}
    return FunctionType(function.__code__, names, function.__name__, function.__defaults__)


def _rows(rgb: Image.Image, unknown: np.ndarray, number: np.ndarray, progress: Progress) -> np.ndarray:
    """Return each unknown pixel's row: float64 (n, 25), its neighbours within two pixels in rows-first order."""
    with library("pymatting"):
        from pymatting.laplacian.cf_laplacian import cf_laplacian
    height, width = unknown.shape
    values = np.zeros((int(np.count_nonzero(unknown)), _NEIGHBOURS))
    for top in range(0, height, _TILE_PX):
        for left in range(0, width, _TILE_PX):
            tile = slice(top, top + _TILE_PX), slice(left, left + _TILE_PX)
            if not unknown[tile].any():
                continue
            progress()
            upper, before = max(0, top - _REACH_PX), max(0, left - _REACH_PX)
            lower, after = min(height, top + _TILE_PX + _REACH_PX), min(width, left + _TILE_PX + _REACH_PX)
            around = slice(upper, lower), slice(before, after)
            colors = np.asarray(rgb.crop((before, upper, after, lower))) / 255.0
            rows = cf_laplacian(colors, is_known=~unknown[around]).data.reshape(*unknown[around].shape, _NEIGHBOURS)
            own = rows[top - upper :, left - before :][:_TILE_PX, :_TILE_PX]
            values[number[tile][unknown[tile]]] = own[unknown[tile]]
    return values


def _columns(unknown: np.ndarray) -> np.ndarray:
    """Return the pixel that each value of ``_rows`` is of: int32 (n, 25), and as pymatting has it 0 for none."""
    height, width = unknown.shape
    rows, columns = (places.astype(np.int32)[:, None] for places in np.nonzero(unknown))
    below, right = np.mgrid[-_REACH_PX : _REACH_PX + 1, -_REACH_PX : _REACH_PX + 1].reshape(2, -1).astype(np.int32)
    rows, columns = rows + below, columns + right
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    numbers: np.ndarray = np.where(inside, rows * np.int32(width) + columns, np.int32(0))
    return numbers
