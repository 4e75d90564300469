"""Become another program that dies when its parent does: ``python -m alphacut_server.leash PARENT PROGRAM ...``.

Runs between fork and exec of the server, in a process of its own, so that nothing risky happens in the forked
copy of a process with threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for SIGKILL at the parent's death, then exec the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the request
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606  replacing this process is the point


if __name__ == "__main__":
    main()
