"""The files beside an ONNX file that hold weights of it."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.message import DecodeError, Message

_KEY = b"location"
"""What every tensor with its values in another file has in the ONNX file; without it nothing has to be parsed."""


def files(network: Path) -> list[Path]:
    """Return the files that tensors of ``network`` lie in, in order, whether they are there or not.

    A file that is no ONNX file names none: refusing it is the source stage's.

    Raises:
        OSError: ``network`` cannot be read.
    """
    if not _mentions_another_file(network):
        return []
    # Takes seconds to import, which a build that is done already need not pay.
    import onnx  # noqa: PLC0415

    try:
        model = onnx.load(network, load_external_data=False)
    except (DecodeError, ValueError):
        return []
    return sorted({network.parent / location for location in _locations(model)})


def _mentions_another_file(network: Path) -> bool:
    with network.open("rb") as file:
        if file.seek(0, 2) == 0:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(_KEY) >= 0


def _locations(message: Message) -> Iterator[str]:
    """Yield where tensors lie, wherever in a message of ONNX these are: in graphs, nodes, functions."""
    for field, value in message.ListFields():
        if field.name == "external_data":
            yield from (entry.value for entry in value if entry.key == _KEY.decode())
        elif field.message_type is not None:
            for part in (value,) if isinstance(value, Message) else value:
                yield from _locations(part)
