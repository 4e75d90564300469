"""The header is judged before anything is decoded: fast, in little memory, from every thread."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, WebPImagePlugin

from alphacut_core import codec
from alphacut_core.errors import AlphacutError, ImageTooLargeError
from alphacut_core.limits import DEFAULT_LIMITS, Limits

MIB = 2**20


def announcing(name: str, width: int, height: int) -> bytes:
    """Return a small file of a format whose header announces ``width`` x ``height`` pixels."""
    small = Image.new("RGB", (64, 64))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP" if name.startswith("WEBP") else name, lossless=name == "WEBP lossless")
    data = bytearray(buffer.getvalue())
    if name == "PNG":
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif name == "JPEG":
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", height, width)
    elif name == "BMP":
        data[18:26] = struct.pack("<II", width, height)
    elif name == "TIFF":
        for tag, value in ((256, width), (257, height)):
            at = data.index(struct.pack("<HHI", tag, 4, 1))
            data[at : at + 12] = struct.pack("<HHII", tag, 4, 1, value)
    elif name == "AVIF":
        at = data.index(b"ispe") + 8
        data[at : at + 8] = struct.pack(">II", width, height)
    elif name == "WEBP lossless":
        at = data.index(b"VP8L") + 9
        data[at : at + 4] = struct.pack("<I", width - 1 | height - 1 << 14)
    elif name == "WEBP lossy":
        at = data.index(b"\x9d\x01\x2a") + 3
        data[at : at + 4] = struct.pack("<HH", width, height)
    return bytes(data)


def webp_canvas(width: int, height: int) -> bytes:
    """Return an extended WebP whose canvas is ``width`` x ``height``."""
    body = b"VP8X" + struct.pack("<II", 10, 0) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body += announcing("WEBP lossy", 64, 64)[12:]
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def gif(screen: tuple[int, int], frame: tuple[int, int]) -> bytes:
    """Return a GIF whose first frame is to be cleared to the background when it has been shown."""
    return (
        b"GIF89a" + struct.pack("<HHBBB", *screen, 0, 0, 0) + b"!\xf9\x04\x08\0\0\0\0"
        b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02D\x01\0;"
    )


HUGE = {
    "PNG": (announcing("PNG", 60_000, 60_000), "60000x60000 = 3,600,000,000"),
    "PNG beyond every plausibility": (announcing("PNG", 2**31 - 1, 2**31 - 1), "2147483647x2147483647"),
    "PNG just over": (announcing("PNG", 50_001, 1_000), "50001x1000 = 50,001,000"),
    "JPEG": (announcing("JPEG", 65_500, 65_500), "65500x65500"),
    "BMP": (announcing("BMP", 60_000, 60_000), "60000x60000"),
    "TIFF": (announcing("TIFF", 60_000, 60_000), "60000x60000"),
    "AVIF": (announcing("AVIF", 16_000, 16_000), "16000x16000"),
    "WebP lossless": (announcing("WEBP lossless", 16_000, 16_000), "16000x16000"),
    "WebP lossy": (announcing("WEBP lossy", 16_000, 16_000), "16000x16000"),
    "WebP canvas": (webp_canvas(2**24, 200), "16777216x200"),
    "GIF screen": (gif((60_000, 60_000), (10, 10)), "60000x60000"),
    "GIF frame": (gif((1, 1), (9_000, 9_000)), "9000x9000"),
}


@pytest.fixture
def peak_memory() -> Callable[[], int]:
    """Reset this process's peak of resident memory; the function returned reads its growth in bytes."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        pytest.skip("the peak of resident memory is read from Linux's /proc")

    def kib(field: str) -> int:
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(field))

    reset.write_text("5")
    before = kib("VmRSS:")
    return lambda: (kib("VmHWM:") - before) * 1024


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_header_is_refused_by_its_pixels_without_taking_memory(
    name: str, peak_memory: Callable[[], int]
) -> None:
    data, said = HUGE[name]
    for read in (codec.read_header, codec.decode, lambda data: codec.decode_reduced(data, 320)):
        with pytest.raises(ImageTooLargeError, match=f"got {said}.*at most 50,000,000 are accepted; scale"):
            read(data)
    assert peak_memory() < 16 * MIB


@pytest.mark.parametrize("name", ["WebP lossless", "WebP lossy", "WebP canvas"])
def test_webps_decoder_which_allocates_on_opening_is_not_asked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WebPImagePlugin.WebPImageFile, "_open", None)
    with pytest.raises(ImageTooLargeError):
        codec.decode(HUGE[name][0])


def test_nothing_is_decoded_of_what_is_over_the_limits(
    corpus: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    for name, data in corpus.items():
        for limits in (Limits(max_pixels=53 * 37 - 1), Limits(max_side=52), Limits(max_bytes=len(data) - 1)):
            with pytest.raises(ImageTooLargeError):
                codec.decode(data, limits)
        assert codec.read_header(data, Limits(max_pixels=53 * 37, max_side=53, max_bytes=len(data))), name


def test_a_few_pixels_in_a_very_long_row_are_refused(saved: Callable[..., bytes]) -> None:
    data = saved(Image.new("1", (65_536, 1)), "PNG")
    with pytest.raises(ImageTooLargeError, match="got 65536x1 pixels; at most 65,535 a side"):
        codec.read_header(data)
    assert codec.read_header(data, Limits(max_side=65_536)).width == 65_536


def test_a_file_of_too_many_bytes_is_refused_unread() -> None:
    with pytest.raises(ImageTooLargeError, match="got a file of 11 bytes; at most 10 are accepted; send a smaller"):
        codec.read_header(b"not an imag", Limits(max_bytes=10))


@pytest.mark.parametrize("field", ["max_bytes", "max_pixels", "max_side"])
def test_limits_that_let_nothing_through_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="limits must be positive"):
        Limits(**{field: 0})


def test_limits_are_whole_numbers_numpys_too() -> None:
    assert repr(Limits(max_side=np.int64(9))) == repr(Limits(max_side=9))
    for wrong in (64e6, "5", True):
        with pytest.raises(ValueError, match="limits must be positive whole numbers"):
            Limits(max_bytes=wrong)  # type: ignore[arg-type]


def test_threads_judge_good_and_bad_files_side_by_side(corpus: dict[str, bytes]) -> None:
    # Warnings are errors while tests run, and Python's warning filters are one for all threads.
    files = [*corpus.values(), *(data for data, _ in HUGE.values())] * 4

    def outcome(data: bytes) -> tuple[int, int] | type[AlphacutError]:
        try:
            return codec.decode(data).size
        except AlphacutError as error:
            return type(error)

    alone = [outcome(data) for data in files]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(outcome, files)) == alone
    assert alone.count(ImageTooLargeError) == 4 * len(HUGE)


def test_default_limits_are_those_that_the_documents_name() -> None:
    assert (DEFAULT_LIMITS.max_bytes, DEFAULT_LIMITS.max_pixels) == (64 * MIB, 50_000_000)
