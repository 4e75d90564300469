"""Start other programs on a leash, so that none of theirs is left however this process ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_LIFELINE = 3


def command(program: list[str], lifeline: int) -> list[str]:
    """Return the command that runs a program until its end, or until nobody holds the lifeline's writing end.

    Args:
        program: The program, with its whole path, and its arguments.
        lifeline: The reading end's number in the new process.
    """
    return [sys.executable, "-I", str(Path(__file__).with_name("leash.py")), str(lifeline), *program]


def run(program: list[str]) -> tuple[int, str]:
    """Run a program to its end; return its exit status, 128 + N for signal N, and all it said.

    It is ended by whatever ends this call, an exception of a signal's handler among them, however early that comes.
    """
    lifeline, held = os.pipe()
    reading, writing = os.pipe()
    with open(reading, errors="replace") as output:
        try:
            # Not subprocess: a handler that raises while that waits for its child's start leaves it the child.
            pid = _spawn(command(program, _LIFELINE), lifeline, writing)
            said = output.read()
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said
        finally:
            os.close(held)
            output.read()  # ends with the last process that holds the other end


def _spawn(program: list[str], lifeline: int, output: int) -> int:
    """Start a program that reads nothing, and that Ctrl-C does not reach; close what was for it alone."""
    with open(os.devnull) as nothing:
        try:
            return os.posix_spawn(
                program[0],
                program,
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, nothing.fileno(), 0),
                    (os.POSIX_SPAWN_DUP2, output, 1),
                    (os.POSIX_SPAWN_DUP2, output, 2),
                    (os.POSIX_SPAWN_DUP2, lifeline, _LIFELINE),
                ],
                setsid=True,
            )
        finally:
            os.close(lifeline)
            os.close(output)
