"""Who decodes an image file: the caller or the server."""

from __future__ import annotations

import math

from alphacut_client._route import Upload
from alphacut_core import processors
from alphacut_core.contract import image_spec

_BUSY_PER_CORE = 2


def sends_pixels(upload: Upload, file_bytes: int, size: int, waiting: int) -> bool:
    """Decide for one image file.

    ``auto`` sends pixels where that is less to send (a file heavier than the network's square, 300 KiB at 320), and
    where the server is what everybody waits for: when more requests of this client wait than two for each of its
    own processors, those have time to decode. Else the file goes as it is, and is decoded here, if it must be,
    while the server works.

    Args:
        upload: The caller's choice.
        file_bytes: Size of the image file.
        size: Side of the network's square.
        waiting: Requests of this client that are under way.
    """
    if upload != "auto":
        return upload == "pixels"
    return file_bytes > math.prod(image_spec(size).dims) or waiting > _BUSY_PER_CORE * processors.count()
