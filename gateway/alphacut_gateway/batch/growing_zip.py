"""A zip whose beginning can be sent before its end is known."""

from __future__ import annotations

import io
import zipfile


class _Outbox(io.RawIOBase):
    """A file that cannot be gone back in; what is written waits to be sent."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        self._waiting.append(bytes(content))
        return len(content)

    def sent(self) -> bytes:
        waiting, self._waiting = b"".join(self._waiting), []
        return waiting


class GrowingZip:
    """Files are added one by one, and each can be sent at once; only their names are kept to the end.

    Pictures are stored as they are, since they are compressed already.
    """

    def __init__(self) -> None:
        self._outbox = _Outbox()
        self._archive = zipfile.ZipFile(self._outbox, "w", zipfile.ZIP_STORED)

    def add(self, name: str, content: bytes) -> bytes:
        """Add a file and return the bytes that follow those returned before."""
        self._archive.writestr(name, content)
        return self._outbox.sent()

    def end(self) -> bytes:
        """Return the last bytes."""
        self._archive.close()
        return self._outbox.sent()
