"""How many processors there are to share work among."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUP = Path("/proc/self/cgroup")


def count() -> int:
    """Return how many processors this process may keep busy, at least 1: fewer than the machine's in many containers.

    ``os.cpu_count`` is the machine's number whatever a container is given, and work for all of them takes the memory
    of all of them.
    """
    bound_to = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(bound_to, math.ceil(min(_shares(), default=bound_to))))


def _shares() -> Iterator[float]:
    """Yield the processors that each control group (of version 2) around this process leaves to it."""
    with contextlib.suppress(OSError, StopIteration):
        own = next(line for line in _OWN_GROUP.read_text().splitlines() if line.startswith("0::/"))
        parts = [part for part in own.removeprefix("0::/").split("/") if part]
        for depth in range(len(parts) + 1):
            with contextlib.suppress(OSError, ValueError):  # the root has none, and most say "max"
                quota_us, period_us = map(int, _GROUPS.joinpath(*parts[:depth], "cpu.max").read_text().split())
                yield quota_us / period_us
