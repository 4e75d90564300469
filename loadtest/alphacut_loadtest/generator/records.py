"""What a generator process saw, from its memory into a file, and read again by whoever started it."""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from alphacut_loadtest.generator.outcome import OUTCOMES, Outcome
from alphacut_loadtest.traffic.corpus import Ask

_CALLS, _PROCESS = "calls-", "process-"


@dataclass(frozen=True, slots=True)
class GeneratorProcess:
    """One process of the generator.

    Attributes:
        pid: Its number.
        started_unix_s: When its test started, by the clock on the wall.
        wall_s: From the start of the test to its end.
        cpu_s: Processor seconds in that time.
        in_flight: Requests under way, seen by a clock of its own ten times a second: seconds and number.
        words: First words of a server for each kind of outcome that is none.
    """

    pid: int
    started_unix_s: float
    wall_s: float
    cpu_s: float
    in_flight: Sequence[tuple[float, int]]
    words: dict[str, str]


@dataclass(frozen=True, slots=True)
class Samples:
    """All requests, one array position each, in the order of intended times.

    Attributes:
        lane: Number of the lane.
        intended_s: When it was to be sent, from the start of the test; closed lanes send at once.
        sent_s: When it was sent.
        ended_s: When its answer was there.
        outcome: Position in ``OUTCOMES``.
        corrupt: Whether the file was broken on purpose.
    """

    lane: npt.NDArray[np.int64]
    intended_s: npt.NDArray[np.float64]
    sent_s: npt.NDArray[np.float64]
    ended_s: npt.NDArray[np.float64]
    outcome: npt.NDArray[np.int64]
    corrupt: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.lane)

    @property
    def latency_s(self) -> npt.NDArray[np.float64]:
        """From the intended start to the end: what a caller who came at that time waited."""
        return self.ended_s - self.intended_s

    @property
    def good(self) -> npt.NDArray[np.bool_]:
        """Whether it ended as it should: answered, or a broken file rejected."""
        answered = (self.outcome == OUTCOMES.index(Outcome.ANSWERED)) & ~self.corrupt
        rejected = (self.outcome == OUTCOMES.index(Outcome.REJECTED)) & self.corrupt
        return np.asarray(answered | rejected)

    def that(self, outcome: Outcome) -> npt.NDArray[np.bool_]:
        """Whether each ended like this."""
        return np.asarray(self.outcome == OUTCOMES.index(outcome))

    def where(self, chosen: npt.NDArray[np.bool_]) -> Samples:
        """Return some of them."""
        return Samples(
            self.lane[chosen], self.intended_s[chosen], self.sent_s[chosen], self.ended_s[chosen],
            self.outcome[chosen], self.corrupt[chosen],
        )  # fmt: skip

    @classmethod
    def of(cls, rows: npt.ArrayLike) -> Samples:
        """Make columns of rows in the order of the attributes, float64 (requests, 6) once they are an array."""
        table = np.asarray(rows, dtype=np.float64).reshape(-1, 6)
        table = table[np.argsort(table[:, 1], kind="stable")]
        return cls(
            table[:, 0].astype(np.int64), table[:, 1], table[:, 2], table[:, 3],
            table[:, 4].astype(np.int64), table[:, 5].astype(bool),
        )  # fmt: skip


class Recorder:
    """Writes calls as they end.

    Args:
        folder: Where to; None keeps nothing, as under Locust's own web page.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._started = time.perf_counter()
        self._started_unix_s = time.time()
        self._cpu_s = time.process_time()
        self._flight: list[tuple[float, int]] = []
        self._words: dict[str, str] = {}
        self.in_flight = 0
        self._file = (folder / f"{_CALLS}{os.getpid()}.csv").open("w", newline="") if folder else None
        self._write: Callable[[Sequence[float]], object] = (
            csv.writer(self._file).writerow if self._file else lambda row: None
        )

    def now_s(self) -> float:
        """Return the seconds since the start of the test."""
        return time.perf_counter() - self._started

    def call(self, lane: int, ask: Ask, times_s: tuple[float, float, float], outcome: Outcome, words: str) -> None:
        """Keep one call: when it was intended, sent, ended."""
        self._write((lane, *times_s, OUTCOMES.index(outcome), int(ask.corrupt)))
        if words and outcome.value not in self._words:
            self._words[outcome.value] = words

    def look(self) -> None:
        """Note how many requests are under way."""
        self._flight.append((self.now_s(), self.in_flight))

    def close(self) -> None:
        """Finish the files."""
        if self._file is None or self._folder is None or self._file.closed:
            return
        self._file.close()
        cpu_s = time.process_time() - self._cpu_s
        told = GeneratorProcess(os.getpid(), self._started_unix_s, self.now_s(), cpu_s, self._flight, self._words)
        (self._folder / f"{_PROCESS}{os.getpid()}.json").write_text(json.dumps(asdict(told)))


def read(folder: Path) -> tuple[Samples, list[GeneratorProcess]]:
    """Return what all processes left in ``folder``."""
    # A soak leaves millions of rows: as Python's numbers each would take a third of a kilobyte.
    tables = [
        np.loadtxt(path, delimiter=",", ndmin=2)
        for path in sorted(folder.glob(f"{_CALLS}*.csv"))
        if path.stat().st_size  # of a process to which no request fell
    ]
    processes = [GeneratorProcess(**json.loads(path.read_text())) for path in sorted(folder.glob(f"{_PROCESS}*.json"))]
    return Samples.of(np.concatenate(tables) if tables else []), processes
