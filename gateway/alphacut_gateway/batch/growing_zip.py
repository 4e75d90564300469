"""A zip whose beginning can be sent before its end is known."""

from __future__ import annotations

import io
import zipfile


class _Outbox(io.BytesIO):
    """A file of which all but the end has been sent; one can go back as far as that reaches.

    That is as far as the head of a zip's latest entry, which so can name the entry's size. Where it does not, Java's
    ``ZipInputStream`` and others that read from front to back refuse what is stored.
    """

    _n_sent = 0

    def tell(self) -> int:
        return self._n_sent + super().tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("what has been sent has no end to count from")
        return self._n_sent + super().seek(offset - self._n_sent)

    def sent(self) -> bytes:
        waiting = self.getvalue()
        self._n_sent += len(waiting)
        super().seek(0)
        self.truncate(0)
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
