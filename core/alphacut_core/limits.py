"""How large an image may be."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from alphacut_core import checks
from alphacut_core.errors import EmptyImageError, ImageTooLargeError, UnsupportedImageError


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that are checked before a single pixel is decoded.

    Attributes:
        max_bytes: Largest file, in bytes.
        max_pixels: Largest width x height.
        max_side: Longest side, in pixels; resizing needs memory and time in proportion, few pixels or not.
    """

    max_bytes: int = 64 * 2**20
    max_pixels: int = 50_000_000
    max_side: int = 65_535

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = checks.as_integer(getattr(self, field.name))
            if value is None or value < 1:
                raise ValueError(f"limits must be positive whole numbers, got {self!r}")
            checks.keep(self, **{field.name: value})

    def check_bytes(self, n_bytes: int, *, at_least: bool = False) -> None:
        """Check the size of a file.

        Args:
            n_bytes: Its size, or what has been read of it.
            at_least: Reading ended there, and nobody knows how much more there is.

        Raises:
            EmptyImageError: There is nothing.
            ImageTooLargeError: There is too much.
        """
        if n_bytes == 0:
            raise EmptyImageError("got 0 bytes; send the content of an image file")
        if n_bytes > self.max_bytes:
            got = f"at least {n_bytes:,}" if at_least else f"{n_bytes:,}"
            raise ImageTooLargeError(
                f"got a file of {got} bytes; at most {self.max_bytes:,} are accepted; "
                "send a smaller or more strongly compressed image"
            )

    def check_pixels(self, width: int, height: int) -> None:
        """Check the dimensions that a file's header announces.

        Raises:
            UnsupportedImageError: A side is zero.
            ImageTooLargeError: There are too many pixels, or too many in a row.
        """
        if width < 1 or height < 1:
            raise UnsupportedImageError(f"got an image of {width}x{height} pixels; both sides must be at least 1")
        if width * height > self.max_pixels:
            raise ImageTooLargeError(
                f"got {width}x{height} = {width * height:,} pixels; at most {self.max_pixels:,} are accepted; "
                "scale the image down before sending it"
            )
        if max(width, height) > self.max_side:
            raise ImageTooLargeError(
                f"got {width}x{height} pixels; at most {self.max_side:,} a side are accepted; "
                "scale the image down or cut it up before sending it"
            )


DEFAULT_LIMITS = Limits()
