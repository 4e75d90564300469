"""Processor time and memory of a process and all its descendants."""

from __future__ import annotations

import re
from pathlib import Path

import psutil

_RESET_PEAK = "5"
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


class ProcessTree:
    """A contender with the servers that it started; Linux counts for us, so nothing is sampled."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)

    def cpu_s(self) -> float:
        """Return processor seconds, user and system, spent so far; those of ended children included."""
        return sum(sum(process.cpu_times()[:4]) for process in self._processes())

    def reset_peaks(self) -> None:
        """Let ``peak_rss_bytes`` count from now on."""
        for process in self._processes():
            Path(f"/proc/{process.pid}/clear_refs").write_text(_RESET_PEAK)

    def peak_rss_bytes(self) -> dict[str, int]:
        """Return the largest resident memory of each program, summed over processes of the same name.

        Their sum is an upper bound: peaks need not coincide, and shared pages count in each process. The root,
        which holds the pictures and does the client's work, is called ``client``.
        """
        peaks: dict[str, int] = {}
        for process in self._processes():
            name = "client" if process == self._root else process.name()
            found = _PEAK.search(Path(f"/proc/{process.pid}/status").read_text())
            peaks[name] = peaks.get(name, 0) + (1024 * int(found[1]) if found else 0)
        return peaks

    def _processes(self) -> list[psutil.Process]:
        return [self._root, *self._root.children(recursive=True)]
