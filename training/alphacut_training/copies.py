"""Arrays of decoded pictures on the disk, a folder for each data set; runs share them.

Who maps arrays keeps their folder locked, and who needs room takes it from folders that nobody has locked.
"""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from alphacut_core.folder_lock import alone, alone_if_free, beside_others
from alphacut_core.geometry import Pixels

MAX_BYTES = 8 * 2**30
"""Of all folders together, about 13,000 pairs: those used longest ago are emptied before another one is filled."""

INDEX_FILE = "index.json"
"""Written last: it says that the rest is whole."""


@contextmanager
def kept(folder: Path, n_bytes: int, write: Callable[[], None]) -> Iterator[int]:
    """Fill a folder, where it is not from before, and keep others from emptying it.

    Args:
        folder: Of one data set, beside those of others.
        n_bytes: How much will be written at most.
        write: Fills the folder, ``INDEX_FILE`` last.

    Yields:
        The lock, for ``mapped``.

    Raises:
        OSError: No space, no permission; nothing is left in the folder.
    """
    while True:
        if not _is_whole(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with alone(folder):  # another run on the same pictures may be about to read what would be written over
                if not _is_whole(folder):
                    _make_room(folder.parent, n_bytes)
                    _fill(folder, write)
        with beside_others(folder) as lock:
            if _is_whole(folder):  # else another run has emptied it since
                with contextlib.suppress(OSError):  # it may be somebody else's, to read only
                    os.utime(folder / INDEX_FILE)
                yield lock
                return


def mapped(file: Path, shape: tuple[int, ...], lock: int) -> Pixels:
    """Return a file's bytes as an array, with which the folder's lock lasts."""
    if not shape[0]:
        return np.empty(shape, np.uint8)  # an empty file cannot be mapped
    array = np.memmap(file, np.uint8, "r", shape=shape)
    weakref.finalize(array, os.close, os.dup(lock))
    return array


def _fill(folder: Path, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError:
        _empty(folder)  # it is what fills the disk
        raise


def _make_room(cache: Path, n_bytes: int) -> None:
    total = n_bytes
    for folder in sorted((path for path in cache.iterdir() if path.is_dir()), key=_used_at_s, reverse=True):
        total += _n_bytes(folder)
        if total > MAX_BYTES or not _is_whole(folder):
            with alone_if_free(folder) as free:
                if free:
                    _empty(folder)


def _n_bytes(folder: Path) -> int:
    total = 0
    for file in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another run may be emptying or filling it
            total += file.stat().st_size
    return total


def _empty(folder: Path) -> None:
    """Remove what is in a folder, but not itself: who waits for its lock would have that of nothing."""
    (folder / INDEX_FILE).unlink(missing_ok=True)
    for file in folder.iterdir():
        file.unlink(missing_ok=True)


def _is_whole(folder: Path) -> bool:
    return (folder / INDEX_FILE).exists()


def _used_at_s(folder: Path) -> float:
    """Return when a run last took a folder up, 0 for what a killed one has left half-filled."""
    try:
        return (folder / INDEX_FILE).stat().st_mtime
    except FileNotFoundError:
        return 0.0
