"""Files that are either complete or not there."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write a file in one step: whoever looks sees the old file, none, or the whole new one.

    Folders are made as needed.

    Raises:
        OSError: The file cannot be written; nothing of it is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")  # path's own may be as long as names can be
    try:
        # Not tempfile: it makes files that only their owner may read.
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
