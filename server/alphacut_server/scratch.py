"""A temporary folder for one run of Triton, and what is left of those that could not remove theirs."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alphacut_core.errors import ServerStartError
from alphacut_core.folder_lock import beside_others, is_used

_PREFIX = "alphacut-server-"
_PLAIN = re.compile(r"[\w./-]+", re.ASCII)
_ALWAYS_PLAIN = Path("/tmp")  # noqa: S108  only names in it are chosen here, by tempfile


@contextmanager
def folder() -> Iterator[Path]:
    """Make an empty folder and remove it afterwards.

    While it is locked, systemd-tmpfiles leaves it alone, which removes what is older than ten days.

    Raises:
        ServerStartError: It cannot be made.
    """
    prefix = f"{_PREFIX}{os.getpid()}-"
    with contextlib.ExitStack() as stack:
        try:
            made = tempfile.TemporaryDirectory(prefix=prefix, dir=_place(), ignore_cleanup_errors=True)
            path = Path(stack.enter_context(made))
            stack.enter_context(beside_others(path))
        except OSError as error:
            raise ServerStartError(
                f"cannot make a temporary folder ({error}); make room, or point $TMPDIR to a folder that can be written"
            ) from error
        yield path


def plain(path: Path, folder: Path) -> Path:
    """Return a name of ``path`` that a shell reads as one word: its own, or that of a link in ``folder``.

    Triton starts its stubs through a shell and quotes nothing.
    """
    if _PLAIN.fullmatch(str(path)):
        return path
    link = folder / "plain"
    link.symlink_to(path, target_is_directory=True)
    return link


def remove_orphans() -> None:
    """Remove the folders of supervisors that were killed; those of another container's have numbers of its own."""
    with contextlib.suppress(OSError):  # no folder for temporary files: the one who needs it says so
        for left in _place().glob(f"{_PREFIX}*-*"):
            pid = left.name.removeprefix(_PREFIX).partition("-")[0]
            with contextlib.suppress(OSError):  # another user's cannot be looked into, and may be gone meanwhile
                if pid.isdigit() and not Path("/proc", pid).exists() and not is_used(left):
                    shutil.rmtree(left, ignore_errors=True)


def _place() -> Path:
    """Return the folder for temporary files, or the usual one where that has a name that a shell would take apart."""
    chosen = Path(tempfile.gettempdir())
    return chosen if _PLAIN.fullmatch(str(chosen)) else _ALWAYS_PLAIN
