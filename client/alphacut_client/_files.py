"""What an image file holds, read no further than its limit."""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path
from typing import IO

from alphacut_core.errors import InputError, UnsupportedImageError
from alphacut_core.limits import DEFAULT_LIMITS, Limits

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+:/|data:)", re.IGNORECASE)
_AT_ONCE_BYTES = 2**20  # what is asked for is allocated, whatever comes


def at_path(path: str | Path, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Read the file at a path; of one whose size is known to be over the limit, nothing.

    Raises:
        InputError: It cannot be read, or what was given is an address.
        ImageTooLargeError: It is longer than the limit.
    """
    text = os.fspath(path)
    try:
        with open(path, "rb") as file:
            n_bytes = os.fstat(file.fileno()).st_size
            if n_bytes:  # a pipe states none
                limits.check_bytes(n_bytes)
            return _content(file, limits, n_bytes or _AT_ONCE_BYTES)
    except (OSError, ValueError) as error:  # a NUL in a path is a ValueError
        if _ADDRESS.match(text):
            raise InputError(
                f"got the address {text[:80]!r}, and addresses are never fetched here; download it, and give the bytes"
            ) from error
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"cannot read {text!r} ({reason}); give the path of an image file") from error


def opened(file: IO[bytes], limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Read an open file from where it stands to its end.

    Raises:
        InputError: It cannot be read.
        ImageTooLargeError: There is more than the limit, of which one byte more is read.
        UnsupportedImageError: It is open as text, or has to be awaited.
    """
    try:
        return _content(file, limits)
    except InputError:
        raise
    except Exception as error:  # the file is the caller's: whatever it raises costs this image alone
        raise InputError(
            f"cannot read {type(file).__name__} ({type(error).__name__}: {error}); give a file that is open for reading"
        ) from error


def _content(file: IO[bytes], limits: Limits, first_bytes: int = _AT_ONCE_BYTES) -> bytes:
    pieces = []
    asked = first_bytes
    left = limits.max_bytes + 1
    # A pipe gives what has arrived, which need not be all.
    while left > 0 and (piece := _piece(file, min(left, asked))):
        pieces.append(piece)
        left -= len(piece)
        asked = _AT_ONCE_BYTES
    if left <= 0:
        limits.check_bytes(limits.max_bytes + 1 - left, at_least=True)
    return b"".join(pieces)


def _piece(file: IO[bytes], n_bytes: int) -> bytes:
    piece: object = file.read(n_bytes)
    if inspect.iscoroutine(piece):  # a web framework's upload, or a file of aiofiles
        piece.close()
        raise UnsupportedImageError(
            f"got {type(file).__name__}, whose read() has to be awaited; await it, and give the bytes"
        )
    if not isinstance(piece, bytes):
        raise UnsupportedImageError(
            f"got a file that gives {type(piece).__name__} instead of bytes; open it in binary mode, as 'rb'"
        )
    return piece
