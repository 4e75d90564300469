"""Start other programs on a leash, so that none of theirs is left however this process ends."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from alphacut_core.adapter import LIFELINE_VARIABLE

_LIFELINE = 3


class Leashed:
    """A running program; its process here is the leash, which ends after all that the program started."""

    def __init__(
        self,
        program: list[str],
        *,
        variables: Mapping[str, str] | None = None,
        folder: Path | None = None,
        output: IO[bytes] | None = None,
    ) -> None:
        """Start it.

        Args:
            program: The program, with its whole path, and its arguments.
            variables: Its environment; default: this process'.
            folder: Its working directory; default: this process'.
            output: Where it writes; default: where this process does.
        """
        # Only this process holds the writing end: the kernel closes it however this process ends.
        lifeline, self._held = os.pipe()
        try:
            self.process = subprocess.Popen(
                _command(program, lifeline),
                env={**(os.environ if variables is None else variables), LIFELINE_VARIABLE: str(lifeline)},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(lifeline,),
                start_new_session=True,  # Ctrl-C is for this process; and one process group, which one signal reaches
            )
        except BaseException:
            os.close(self._held)
            raise
        finally:
            os.close(lifeline)

    def stop(self, grace_s: float) -> None:
        """End it: politely, then after ``grace_s`` not; afterwards none of its processes is left."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace_s)
        os.close(self._held)
        self.process.wait()


def _command(program: list[str], lifeline: int) -> list[str]:
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
            # Not Leashed: where a handler raises while that starts, half a Popen is left, which warns when it goes.
            pid = _spawn(_command(program, _LIFELINE), lifeline, writing)
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
