"""Run another program, and end all that comes of it with the owner: ``leash.py LIFELINE PROGRAM ...``.

LIFELINE is the reading end of a pipe whose other end the owner alone holds. The kernel closes that however the owner
ends; then the program is killed, and so are its children, in whatever state they are. Triton's stubs are known to stay
behind otherwise: one that stands in native code with Python's lock in its hand notices nothing itself.

The program's orphans become children of this process (``PR_SET_CHILD_SUBREAPER``), which ends last: once it is gone,
so are all of them. Its own exit status is the program's, 128 + N where signal N ended that.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main() -> None:
    """Start the program, pass SIGTERM on to it, and wait for its end or the owner's."""
    lifeline, program = int(sys.argv[1]), sys.argv[2:]
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # a handler, or nothing is written to the waker
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # until there is somebody to pass it on to
    leash, child = os.getpid(), os.fork()
    if not child:
        _become(program, leash)
    status: int | None = None

    def pass_on(*_: object) -> None:
        if status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, pass_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    poll = select.poll()
    for descriptor in (lifeline, woken):
        poll.register(descriptor, select.POLLIN)
    owned = True
    while owned and status is None:
        ready = {descriptor for descriptor, _ in poll.poll()}
        owned = lifeline not in ready
        if woken in ready:
            os.read(woken, 4096)
        status = _reaped(child)
    _end_children()
    code = os.waitstatus_to_exitcode(status) if status is not None else 1
    sys.exit(code if code >= 0 else 128 - code)


def _become(program: list[str], leash: int) -> None:
    """Turn into the program, which dies at once if somebody kills the leash alone."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != leash:  # it died before the request
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    try:
        os.execv(program[0], program)  # noqa: S606  replacing this process is the point
    except OSError as error:
        os.write(2, f"error: {program[0]} cannot be started: {error.strerror}\n".encode())
        os._exit(127)


def _reaped(child: int) -> int | None:
    """Collect children that have ended; return the wait status of ``child`` if it is one of them."""
    found = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                found = ended[1]
    return found


def _end_children() -> None:
    """Kill children until there are none; those of a child that is killed become children themselves."""
    with contextlib.suppress(ChildProcessError):
        while True:
            for child in children(os.getpid()):
                os.kill(child, signal.SIGKILL)
            os.waitpid(-1, 0)


def children(parent: int) -> list[int]:
    """Return the processes of a parent; its own keep their numbers until it waits for them."""
    wanted, found = str(parent).encode(), []
    for number in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{number}/stat", "rb") as file:  # others end meanwhile
            if file.read().rpartition(b")")[2].split()[1] == wanted:
                found.append(int(number))
    return found


def _prctl(option: int, value: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


if __name__ == "__main__":
    main()
