"""Watch a server that once answered, until it no longer serves or is to be stopped."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from alphacut_server.patience import Patience
from alphacut_server.stubs import Stubs
from alphacut_server.wakeup import Wakeup


def watch(
    process: subprocess.Popen[bytes], wakeup: Wakeup, patience: Patience, is_healthy: Callable[[Stubs], bool]
) -> str | None:
    """Return why a server is to be given up, or None when it is time to stop.

    Args:
        process: The leash of Triton.
        wakeup: Says when to stop.
        patience: Pauses between looks.
        is_healthy: Asks the server for something, and has stubs that came meanwhile looked for. Two denials in a row
            count.
    """
    stubs = Stubs(process.pid)
    failures = 0
    next_probe = time.monotonic() + patience.probe_every_s
    while not wakeup.wait(min(patience.look_every_s, max(0.0, next_probe - time.monotonic()))):
        if (status := process.poll()) is not None:
            return f"Triton ended with status {status}"
        if dead := stubs.dead():
            return f"the process of {' and '.join(dead)} has died, and Triton goes on without it"
        if time.monotonic() < next_probe:
            continue
        failures = 0 if is_healthy(stubs) else failures + 1
        if failures > 1:
            return "Triton is given up"
        next_probe = time.monotonic() + patience.probe_every_s
    return None
