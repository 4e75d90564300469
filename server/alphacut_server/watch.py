"""Watch a server that once answered, until it no longer serves or is to be stopped."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from alphacut_server.patience import Patience
from alphacut_server.prober import Prober
from alphacut_server.stubs import Stubs
from alphacut_server.wakeup import Wakeup


def watch(
    process: subprocess.Popen[bytes],
    wakeup: Wakeup,
    patience: Patience,
    prober: Prober,
    *,
    report: Callable[[str], None],
    is_changing: Callable[[], bool] = lambda: False,
) -> str | None:
    """Return why a server is to be given up, or None when it is time to stop; a probe may still be under way then.

    Args:
        process: The leash of Triton.
        wakeup: Says when to stop.
        patience: Pauses between looks.
        prober: Asks the server for something. Two probes in a row that fail count.
        report: Called with what a probe found wrong.
        is_changing: Has versions taken in, and says whether one takes another's place: then answers may be of either,
            nothing is asked, and stubs come.
    """
    stubs = Stubs(process.pid)
    failures = 0
    next_probe = time.monotonic() + patience.probe_every_s
    while not wakeup.wait(min(patience.look_every_s, max(0.0, next_probe - time.monotonic()))):
        if (status := process.poll()) is not None:
            return f"Triton ended with status {status}"
        if dead := stubs.dead():
            return f"the process of {' and '.join(dead)} has died, and Triton goes on without it"
        if prober.asking:
            if not prober.has_outcome():
                continue
            fault = prober.outcome()
            if fault is not None:
                report(f"Triton failed its probe: {fault}")
            failures = 0 if fault is None else failures + 1
            if failures > 1:
                return "Triton is given up"
            next_probe = time.monotonic() + patience.probe_every_s
        elif time.monotonic() >= next_probe:
            if is_changing():
                stubs.find()
                failures = 0
                next_probe = time.monotonic() + patience.probe_every_s
            else:
                prober.begin()
                next_probe = float("inf")
    return None
