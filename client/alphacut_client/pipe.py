"""Standard input and output as the files of one image."""

from __future__ import annotations

import os
import sys

from alphacut_client import _files
from alphacut_client.commands import CommandError


def read() -> bytes:
    """Return what comes through standard input.

    Raises:
        CommandError: It is closed.
        InputError: It cannot be read.
        ImageTooLargeError: More comes than an image file may hold.
    """
    if sys.stdin is None:
        raise CommandError("standard input is closed; send an image through it, or name a file as INPUT")
    return _files.opened(sys.stdin.buffer)


def write(content: bytes) -> None:
    """Write all of an image to standard output.

    Raises:
        CommandError: It is closed, or takes no more.
        BrokenPipeError: Whoever read it has left; click ends the command without a word, as others end there.
    """
    if sys.stdout is None:
        raise CommandError("standard output is closed; name a file as OUTPUT")
    stdout = sys.stdout.buffer
    try:
        stdout.write(content)
        stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # What it still holds would fail once more when Python ends, with a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        raise CommandError(f"cannot write to standard output ({error.strerror}); name a file as OUTPUT") from error
