"""How much of an image file is read, and what its reading may raise."""

from __future__ import annotations

import io
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import pytest

from alphacut_client import _files, spoken
from alphacut_core.errors import ImageTooLargeError, InputError, UnsupportedImageError
from alphacut_core.limits import Limits

LIMITS = Limits(max_bytes=100)


@pytest.mark.parametrize("read", [_files.at_path, spoken.picture])
def test_of_a_file_that_is_known_to_be_too_long_nothing_is_read(read: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    with path.open("wb") as file:
        file.truncate(2**28)
    tracemalloc.start()
    try:
        with pytest.raises(ImageTooLargeError, match="got a file of 268,435,456 bytes; at most 67,108,864"):
            read(path)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 2**20


def test_a_path_to_what_has_no_size_is_read_to_its_end_or_its_limit() -> None:
    for content in (b"x" * 100, b"x" * 300):
        reading, writing = os.pipe()
        with open(writing, "wb") as pipe:
            pipe.write(content)
        with open(reading, "rb"):
            path = f"/dev/fd/{reading}"
            if len(content) <= LIMITS.max_bytes:
                assert _files.at_path(path, LIMITS) == content
            else:
                with pytest.raises(ImageTooLargeError, match="got a file of at least 101 bytes"):
                    _files.at_path(path, LIMITS)


@pytest.mark.parametrize("content", [b"", b"x" * 100], ids=["empty", "at the limit"])
def test_a_file_within_the_limit_is_read_whole(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    assert _files.at_path(path, LIMITS) == content
    with path.open("rb") as file:
        assert _files.opened(file, LIMITS) == content


def test_what_comes_in_pieces_as_through_a_pipe_is_read_whole() -> None:
    class Pieces(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 3))

    assert _files.opened(Pieces(b"0123456789")) == b"0123456789"


def test_whatever_a_callers_file_raises_is_an_error_of_its_image() -> None:
    class Lost(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise RuntimeError("the bucket is gone")

    with pytest.raises(InputError, match=r"cannot read Lost \(RuntimeError: the bucket is gone\); give a file"):
        _files.opened(Lost())


def test_a_file_that_has_to_be_awaited_is_told_apart_from_one_that_is_open_as_text() -> None:
    class Upload:
        async def read(self, size: int = -1) -> bytes:
            return b"x" * size

    with pytest.raises(UnsupportedImageError, match=r"got Upload, whose read\(\) has to be awaited; await it"):
        _files.opened(cast(IO[bytes], Upload()))
