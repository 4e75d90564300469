"""Room in the shared memory by which Triton and its Python models exchange tensors: for waiting images, for answers."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path("/dev/shm")  # noqa: S108  where Linux keeps it
GROWTH_BYTES = 4 * 2**20
"""Least that Triton's region grows by, embedded or in a container."""

_SHARE_OF_WAITING = 8  # there are three steps in a pipeline, and pipelines of several sizes


def bytes_of_waiting() -> int:
    """Return how much of the shared memory those may hold that wait before one step."""
    whole = os.statvfs(FOLDER)
    return whole.f_blocks * whole.f_frsize // _SHARE_OF_WAITING


class Space:
    """What is left for the answers of one process, which several threads send at the same moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._promised = 0

    @contextlib.contextmanager
    def promise(self, n_bytes: int) -> Iterator[bool]:
        """Yield whether an answer fits beside those that are being sent; its room is its own until the end."""
        with self._lock:
            fits = _have(self._promised + n_bytes)
            kept = n_bytes if fits else 0
            self._promised += kept
        try:
            yield fits
        finally:
            with self._lock:
                self._promised -= kept


def _have(n_bytes: int) -> bool:
    """Tell whether Triton's region has so much room, or can grow by it."""
    region = getattr(sys.modules.get("c_python_backend_utils"), "shared_memory", None)
    if region is not None and n_bytes < region.free_memory():
        return True
    left = os.statvfs(FOLDER)
    return n_bytes + GROWTH_BYTES <= left.f_bavail * left.f_frsize
