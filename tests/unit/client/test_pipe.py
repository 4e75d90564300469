"""Standard input and output, whole, empty, full and closed."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from alphacut_client import pipe
from alphacut_client.commands import CommandError
from alphacut_core.errors import ImageTooLargeError


def test_of_standard_input_no_more_is_read_than_an_image_file_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            assert size > 0
            return b"x" * size

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Endless()))
    with pytest.raises(ImageTooLargeError, match="got a file of at least 67,108,865 bytes"):
        pipe.read()


def test_closed_streams_are_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(CommandError, match="standard input is closed; send an image"):
        pipe.read()
    with pytest.raises(CommandError, match="standard output is closed; name a file"):
        pipe.write(b"x")


def test_a_full_device_behind_standard_output_is_one_line_and_no_traceback(
    serve: Callable[..., Any], photo: Callable[..., bytes]
) -> None:
    command = [sys.executable, "-m", "alphacut_client", "remove", "-", "-o", "-", "--url", serve().url]
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(command, input=photo(), stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    told = b"error: cannot write to standard output (No space left on device); name a file as OUTPUT\n"
    assert (ended.returncode, ended.stderr) == (1, told)
