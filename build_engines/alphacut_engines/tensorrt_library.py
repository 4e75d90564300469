"""Which TensorRT a server on this machine will load: asked of the library itself, with or without Python bindings."""

from __future__ import annotations

import ctypes
import ctypes.util

_NAMES = ("libnvinfer.so.11", "libnvinfer.so.10")
_UP_TO_9 = 100_000
"""Versions before 10 counted differently; they are too old for anything here."""


def version(names: tuple[str, ...] = _NAMES) -> str | None:
    """Return the library's version as ``11.2.1``, or None where there is none of 10 or 11."""
    for name in names:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        number = int(library.getInferLibVersion())
        if number >= _UP_TO_9:
            return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"
    return None
