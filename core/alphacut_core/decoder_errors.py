"""Whatever Pillow's decoders raise, as errors of the one tree."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from alphacut_core.errors import ImageTooLargeError, UndecodableImageError, reason

# Warning is among them for callers who made errors of warnings.
RAISED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)
"""What they raise on broken files."""


@contextmanager
def typed(got: str) -> Iterator[None]:
    """Let what a decoder raises inside be told of as an InputError.

    Args:
        got: What was decoded, in the plural, for the message.

    Raises:
        ImageTooLargeError: Pillow refuses so many pixels.
        UndecodableImageError: Anything else.
    """
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError(f"got {got} with too many pixels ({error}); scale the image down first") from error
    except RAISED as error:
        raise UndecodableImageError(
            f"got {got} that are broken or cut off ({type(error).__name__}: {reason(error)}); "
            "save or download the image again"
        ) from error
