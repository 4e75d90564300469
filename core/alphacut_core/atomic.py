"""Files that are either complete or not there."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write a file in one step, folders as needed; see ``draft``.

    Raises:
        OSError: The file cannot be written; nothing of it is left.
    """
    with draft(path) as place:
        place.write_bytes(content)


@contextlib.contextmanager
def draft(path: Path, *, shared: bool = True) -> Iterator[Path]:
    """Yield a path to write to, beside ``path``, which it becomes when the block ends well.

    Whoever looks sees the old file, none, or the whole new one. Where the block fails nothing is left of it.

    Args:
        path: The file; its folders are made as needed.
        shared: Others may write the same file at the same time, so that the draft's name is drawn. Where they do not,
            what a kill has left is written over the next time: for large files.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A drawn name is a short one: path's own may be as long as names can be. Not tempfile: its files are their owner's.
    place = path.with_name(f".{secrets.token_hex(8)}.part" if shared else f".{path.name}.part")
    try:
        yield place
        os.replace(place, path)
    except BaseException:
        with contextlib.suppress(OSError):
            place.unlink()
        raise
