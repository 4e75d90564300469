"""Waiting for what announces itself to nobody."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 120.0
"""Longer than anything takes on a machine that is busy, so that only what never happens fails."""


def wait_until(what: str, happened: Callable[[], bool]) -> None:
    """Ask again and again until something has happened."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE_S:.0f} s"
        time.sleep(0.1)
