"""How many processors there are to share work among."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


def count() -> int:
    """Return how many processors this process may keep busy, at least 1: fewer than the machine's in many containers.

    ``os.cpu_count`` is the machine's number whatever a container is given, and work for all of them takes the memory
    of all of them.
    """
    return quota() or _visible()


def quota() -> int | None:
    """Return how many processors control groups leave to this process, at least 1; None if it may use all it sees."""
    allowed = min(_shares(), default=math.inf)
    return max(1, math.ceil(allowed)) if allowed <= _visible() - 1 else None


def _visible() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shares() -> Iterator[float]:
    """Yield the processors that each control group around this process leaves to it."""
    with contextlib.suppress(OSError):
        for line in _OWN_GROUPS.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:  # version 2
                yield from _bounds(_GROUPS, path, "cpu.max")
            elif "cpu" in controllers.split(","):  # version 1
                yield from _bounds(_GROUPS / "cpu", path, "cpu.cfs_quota_us", "cpu.cfs_period_us")


def _bounds(root: Path, path: str, *files: str) -> Iterator[float]:
    parts = [part for part in path.split("/") if part]
    for depth in range(len(parts) + 1):  # a container may see its own group as the root, under a path of the machine's
        with contextlib.suppress(OSError, ValueError):  # the machine's root has none, and most say "max"
            words = " ".join(root.joinpath(*parts[:depth], file).read_text() for file in files).split()
            quota_us, period_us = map(int, words)
            if quota_us > 0:  # version 1 says -1 where there is no bound
                yield quota_us / period_us
