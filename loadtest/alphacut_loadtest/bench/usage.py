"""Processor time and memory of a process and all its descendants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import psutil

from alphacut_loadtest.measure import stub

CLIENT = "client"
"""What the root is called: it holds the pictures and does the client's work."""

_RESET_PEAK = "5"
_SIZE = re.compile(r"^(\w+):\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of one process, or the sum of several's.

    Attributes:
        pss_bytes: Resident memory, each page divided by the number of processes that share it: a sum over processes
            counts every page once.
        rss_bytes: Resident memory; a sum counts shared pages, Triton's shared memory among them, several times.
        own_bytes: What of the PSS is no file's: heaps and shared memory. A library's share changes with every other
            program that begins or ends to use it, this does not.
    """

    pss_bytes: int
    rss_bytes: int
    own_bytes: int

    def __add__(self, other: Memory) -> Memory:
        return Memory(
            self.pss_bytes + other.pss_bytes, self.rss_bytes + other.rss_bytes, self.own_bytes + other.own_bytes
        )


NOTHING = Memory(0, 0, 0)


class ProcessTree:
    """A contender with the servers that it started; Linux counts for us."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)

    def cpu_s(self) -> float:
        """Return processor seconds, user and system, spent so far; those of ended children included."""
        return sum(sum(process.cpu_times()[:4]) for process in self._processes())

    def cpu_by_process_s(self) -> dict[str, float]:
        """Return processor seconds spent so far by what each process does; a stub is called like its model."""
        spent_s: dict[str, float] = {}
        for process in self._processes():
            name = self._name(process)
            spent_s[name] = spent_s.get(name, 0.0) + sum(process.cpu_times()[:2])
        return spent_s

    def reset_peaks(self) -> None:
        """Let ``peak_rss_bytes`` count from now on."""
        for process in self._processes():
            Path(f"/proc/{process.pid}/clear_refs").write_text(_RESET_PEAK)

    def peak_rss_bytes(self) -> dict[str, int]:
        """Return the largest resident memory of each program, summed over processes of the same name.

        Their sum is an upper bound: peaks need not coincide, and shared pages count in each process.
        """
        peaks: dict[str, int] = {}
        for process in self._processes():
            name = CLIENT if process == self._root else process.name()
            peaks[name] = peaks.get(name, 0) + _sizes_bytes(process.pid, "status").get("VmHWM", 0)
        return peaks

    def memory(self) -> dict[str, Memory]:
        """Return the memory of each process by what it does, now; a stub is called like the model that it serves."""
        now: dict[str, Memory] = {}
        for process in self._processes():
            try:
                name = self._name(process)
                known = _memory(process.pid)
            except (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
                continue  # it ended since it was listed
            now[name] = now.get(name, NOTHING) + known
        return now

    def triton(self) -> psutil.Process | None:
        """Return the Triton among them, if there is one."""
        return next((process for process in self._processes() if process.name() == "tritonserver"), None)

    def _name(self, process: psutil.Process) -> str:
        return CLIENT if process == self._root else _role(process)

    def _processes(self) -> list[psutil.Process]:
        return [self._root, *self._root.children(recursive=True)]


def _memory(pid: int) -> Memory:
    known = _sizes_bytes(pid, "smaps_rollup")
    return Memory(known["Pss"], known["Rss"], known["Pss_Anon"] + known["Pss_Shmem"])


def _sizes_bytes(pid: int, file: str) -> dict[str, int]:
    """Return the sizes that Linux tells of a process in one of its files, by their names there."""
    return {name: 1024 * int(size) for name, size in _SIZE.findall(Path(f"/proc/{pid}/{file}").read_text())}


def _role(process: psutil.Process) -> str:
    """Return a process's name, or what tells it from others of its name."""
    if model := stub.model_of(process):
        return f"stub of {model}"
    words = process.cmdline()
    said = [word for word in words[1:] if not word.startswith("-")]
    if process.name().startswith("python") and said and "-c" not in words:
        return Path(said[0]).stem  # of a module or a script
    return process.name()
