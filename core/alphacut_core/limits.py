"""How large an image may be and which file formats are read at all."""

from __future__ import annotations

from dataclasses import dataclass

from alphacut_core.errors import EmptyImageError, ImageTooLargeError, UnsupportedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "MPO")
"""Pillow's names of the formats that are read; MPO is a JPEG with further pictures behind the first."""

HEIC_FORMAT = "HEIF"
"""Read too where the package pillow-heif is installed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that are checked before a single pixel is decoded.

    Attributes:
        max_bytes: Largest file, in bytes.
        max_pixels: Largest width x height.
    """

    max_bytes: int = 64 * 2**20
    max_pixels: int = 50_000_000

    def __post_init__(self) -> None:
        if self.max_bytes < 1 or self.max_pixels < 1:
            raise ValueError(f"limits must be positive, got {self!r}")

    def check_bytes(self, n_bytes: int) -> None:
        """Check the size of a file.

        Raises:
            EmptyImageError: There is nothing.
            ImageTooLargeError: There is too much.
        """
        if n_bytes == 0:
            raise EmptyImageError("got 0 bytes; send the content of an image file")
        if n_bytes > self.max_bytes:
            raise ImageTooLargeError(
                f"got a file of {n_bytes:,} bytes; at most {self.max_bytes:,} are accepted; "
                "send a smaller or more strongly compressed image"
            )

    def check_pixels(self, width: int, height: int) -> None:
        """Check the dimensions that a file's header announces.

        Raises:
            UnsupportedImageError: A side is zero.
            ImageTooLargeError: There are too many pixels.
        """
        if width < 1 or height < 1:
            raise UnsupportedImageError(f"got an image of {width}x{height} pixels; both sides must be at least 1")
        if width * height > self.max_pixels:
            raise ImageTooLargeError(
                f"got {width}x{height} = {width * height:,} pixels; at most {self.max_pixels:,} are accepted; "
                "scale the image down before sending it"
            )


DEFAULT_LIMITS = Limits()
