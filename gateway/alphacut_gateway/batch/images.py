"""The images of a batch: named, counted and bounded before any is unpacked."""

from __future__ import annotations

import io
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from alphacut_core.errors import EmptyImageError, ImageTooLargeError, UndecodableImageError
from alphacut_gateway.batch import names
from alphacut_gateway.refusals import MalformedRequestError
from alphacut_gateway.uploads import Upload

_MAX_EXPANSION = 20
_ENTRY_BYTES = 1024
_ODD_ENTRIES = 128
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class BatchImage:
    """One image that has not been looked at.

    Attributes:
        name: Its file's name, harmless.
        read: Returns its content; raises an ``InputError`` if that is broken or too large.
    """

    name: str
    read: Callable[[], bytes]


def of_upload(upload: Upload, max_images: int, max_bytes: int) -> list[BatchImage]:
    """Return the images of a form with many files, or of a zip.

    Args:
        upload: The body.
        max_images: Most images.
        max_bytes: Largest image.

    Raises:
        MalformedRequestError: It is neither, its names are dangerous, or it is empty.
        ImageTooLargeError: There are too many images, or they would be too large when unpacked.
    """
    if upload.raw is not None:
        return _of_zip(upload.raw, max_images, max_bytes)
    if not upload.many:
        raise MalformedRequestError("got a form without files; send each image as a file, or a zip as the body")
    return [
        BatchImage(names.check(name or f"{number}.image"), lambda content=content: content)  # type: ignore[misc]
        for number, (name, content) in enumerate(upload.many, 1)
    ]


def _of_zip(content: bytes, max_images: int, max_bytes: int) -> list[BatchImage]:
    try:
        archive = _opened(content, _ENTRY_BYTES * (max_images + _ODD_ENTRIES))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        raise MalformedRequestError("got a body that is no zip; send one, or a form with many files") from error
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and not names.left_out(entry.filename)]
    if not entries:
        raise MalformedRequestError("got a zip without files; put at least one image into it")
    if len(entries) > max_images:
        raise ImageTooLargeError(f"got a zip of {len(entries):,} files; at most {max_images:,} are accepted")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > _MAX_EXPANSION * len(content):
        raise ImageTooLargeError(
            f"got a zip of {len(content):,} bytes that says it unpacks to {unpacked:,}; photographs do not shrink so; "
            f"at most {_MAX_EXPANSION} times are accepted"
        )
    return [BatchImage(names.check(entry.filename), _reader(archive, entry, max_bytes)) for entry in entries]


class _Body(io.BytesIO):
    """A zip of which no piece longer than ``max_piece_bytes`` is read."""

    max_piece_bytes = sys.maxsize

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self.max_piece_bytes:
            raise ImageTooLargeError(
                f"got a zip whose list of files takes {size:,} bytes; at most {self.max_piece_bytes:,} are accepted; "
                "send fewer files, or leave out what the zip says of them besides their names"
            )
        return super().read(size)


def _opened(content: bytes, max_directory_bytes: int) -> zipfile.ZipFile:
    # The directory is read in one piece, and every entry made an object of, before anybody can ask how many there are.
    body = _Body(content)
    body.max_piece_bytes = max_directory_bytes
    archive = zipfile.ZipFile(body)
    body.max_piece_bytes = sys.maxsize
    return archive


def _reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, max_bytes: int) -> Callable[[], bytes]:
    def read() -> bytes:
        if entry.file_size > max_bytes:
            raise ImageTooLargeError(f"got a file of {entry.file_size:,} bytes; at most {max_bytes:,} are accepted")
        if entry.file_size == 0:
            raise EmptyImageError("got 0 bytes; put the content of an image file into the zip")
        if entry.compress_type not in _METHODS or entry.flag_bits & _ENCRYPTED:
            raise UndecodableImageError("got a file that is encrypted or compressed in a rare way; use a plain zip")
        try:
            # Never more than was announced, whatever the data turn out to be.
            with archive.open(entry) as file:
                return file.read(entry.file_size)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise UndecodableImageError(f"got a file that cannot be unpacked ({type(error).__name__})") from error

    return read
