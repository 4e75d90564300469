"""Stage install: the finished engine into the model repository, all or nothing."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alphacut_core.errors import EngineBuildError
from alphacut_engines import fingerprint, manifest

_STAGING = ".installing"


def is_installed(folder: Path, key: str) -> bool:
    """Say whether the engine in ``folder`` is whole and came from the build called ``key``."""
    found = manifest.read(folder)
    if found is None or found.get("key") != key:
        return False
    return all(
        (folder / name).is_file() and fingerprint.of_file(folder / name) == sha256
        for name, sha256 in found["artefacts"].items()
    )


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """Yield an empty directory; what is in it at the end takes its place in ``folder``.

    Files of other names that are there, such as ``model.py``, stay. Everything is on the disk before the first
    name changes, and the last name to change is the manifest's, whose checksums tell a whole engine from one
    whose installation was cut short. A build that fails or is killed before that leaves ``folder`` as it was.

    Raises:
        EngineBuildError: No space, no permission.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            place = folder / _STAGING
            if place.exists():
                shutil.rmtree(place)
            place.mkdir()
            try:
                yield place
                _move_in(place, folder)
            finally:
                shutil.rmtree(place)
    except OSError as error:
        raise EngineBuildError(
            f"stage install: cannot write {error.filename or folder}: {error.strerror}; "
            "what was installed is as it was; free space, mend permissions, or pass --repository"
        ) from error


def _move_in(place: Path, folder: Path) -> None:
    """Replace file by file, the manifest last, then take away what only the engine before had."""
    files = sorted(place.iterdir(), key=lambda path: path.name == manifest.MANIFEST_FILE)
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    before = manifest.read(folder)
    for path in files:
        path.replace(folder / path.name)
    for stale in set(before["artefacts"] if before else ()) - {path.name for path in files}:
        (folder / stale).unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other builds out of ``folder`` for the time being; the kernel lets go if this process dies."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
