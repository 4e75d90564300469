"""One stage at a time: what it says, how long it took, and its name in what it raises."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alphacut_core.errors import EngineError


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a stage has to say, and the time since the stage began."""

    stage: str
    outcome: str
    time_s: float


class Stages:
    """Times the stages, tells the caller what they say, and names stage and file in what they raise."""

    def __init__(self, report: Callable[[Step], None], begin: Callable[[str], None], source: Path) -> None:
        self._report = report
        self._begin = begin
        self._source = source

    @contextmanager
    def run(self, name: str) -> Iterator[Callable[[str], None]]:
        """Run a stage; it says what it has to say to what is yielded."""
        self._begin(name)
        start = time.perf_counter()
        try:
            yield lambda outcome: self._report(Step(name, outcome, time.perf_counter() - start))
        except EngineError as error:
            text = str(error)
            stage = "" if text.startswith("stage ") else f"stage {name}: "
            file = "" if str(self._source) in text else f"; the network is {self._source}"
            raise type(error)(f"{stage}{text}{file}") from error
