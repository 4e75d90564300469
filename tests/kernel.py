"""What the kernel wrote down of programs that crashed: nobody else sees how a child of Triton's ended."""

from __future__ import annotations

import os
import re

import pytest


class Log:
    """The kernel's log from now on; skips the test where it may not be read."""

    def __init__(self) -> None:
        try:
            self._file = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            pytest.skip(f"how stubs of Triton end is in the kernel's log, which may not be read here: {error}")
        os.lseek(self._file, 0, os.SEEK_END)

    def crashed(self) -> set[int]:
        """Numbers of the threads that crashed since."""
        found = set()
        while line := self._line():
            if crash := re.search(r"\[(\d+)\]: segfault|traps: .*\[(\d+)\] ", line):
                found.add(int(crash[1] or crash[2]))
        return found

    def close(self) -> None:
        """Let it go."""
        os.close(self._file)

    def _line(self) -> str:
        try:
            return os.read(self._file, 8192).decode(errors="replace")
        except BlockingIOError:
            return ""
