"""The shared-memory regions of one run of Triton, and those that killed supervisors left.

Locks tell which are which. Numbers of processes would not: containers that share ``/dev/shm`` (``--ipc=host``) count
their processes from 1, each for itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alphacut_core import shared_memory
from alphacut_core.errors import ServerStartError

_PREFIX = "alphacut_"
_LOCK = "lock"


@contextmanager
def own() -> Iterator[str]:
    """Yield how the names of a server's regions begin; afterwards there are none of them.

    Raises:
        ServerStartError: Nothing can be written where they belong.
    """
    try:
        prefix, descriptor = _claim()
    except OSError as error:
        raise ServerStartError(
            f"cannot write to {shared_memory.FOLDER} ({error.strerror}); make room in it, or have it made writable"
        ) from error
    try:
        yield prefix
    finally:
        _remove(prefix)
        os.close(descriptor)


def remove_orphans() -> None:
    """Remove the regions of supervisors that were killed; the kernel has let go of their locks."""
    for lock in shared_memory.FOLDER.glob(f"{_PREFIX}*_{_LOCK}"):
        with contextlib.suppress(OSError):  # it is held; or another user's, who alone may open and remove it
            descriptor = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(lock.name.removesuffix(_LOCK))
            finally:
                os.close(descriptor)


def _claim() -> tuple[str, int]:
    """Return the beginning of names that nobody else has, and the lock that is held for as long as it is open."""
    while True:
        prefix = f"{_PREFIX}{os.getpid()}-{secrets.token_hex(8)}_"
        place = shared_memory.FOLDER / f"{prefix}{_LOCK}"
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if place.exists():
                return prefix, descriptor
        os.close(descriptor)  # somebody found it before it was held, and removes it


def _remove(prefix: str) -> None:
    found = shared_memory.FOLDER.glob(f"{glob.escape(prefix)}*")
    for region in sorted(found, key=lambda path: path.name.endswith(_LOCK)):  # the lock last: it stands for the others
        _unlink(region)


def _unlink(region: Path) -> None:
    with contextlib.suppress(OSError):  # another user's stays: everybody may write here, and remove only what is theirs
        region.unlink()
