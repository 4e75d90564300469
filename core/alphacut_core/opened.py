"""Pictures that Pillow has opened and not read yet, which callers may hand to several threads at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from alphacut_core import decoder_errors

_N_LOCKS = 61  # prime, since addresses are multiples of 16

_locks: list[threading.Lock] = []


@contextmanager
def alone(image: Image.Image) -> Iterator[None]:
    """Keep all other threads that ask from the same picture.

    Pillow reads the file at the first use, and parses EXIF at the first question: where two threads do so at once,
    either fails, or gives a wrong picture without a word. One thread must not enter twice.

    Args:
        image: Any. Another one waits for it only by a rare chance.
    """
    with _locks[id(image) % _N_LOCKS]:
        yield


def load(image: Image.Image, got: str = "pixels") -> None:
    """Have Pillow read a picture that was opened, once, whichever threads ask for it.

    Args:
        image: Any.
        got: What it is, for the message.

    Raises:
        UndecodableImageError: The file behind it is broken.
    """
    with alone(image), decoder_errors.typed(got):
        image.load()


def _renew() -> None:
    """Make the locks; a forked child's may be held by threads that it does not have."""
    _locks[:] = [threading.Lock() for _ in range(_N_LOCKS)]


_renew()
os.register_at_fork(after_in_child=_renew)
