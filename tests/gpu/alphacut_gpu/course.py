"""Run the sections one after another; none can stop another, nor outlast its time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from alphacut_gpu.place import CHECKOUT, KEPT, Place
from alphacut_gpu.sections import Section

RAN, NOT_RUN, FAILED, TIMED_OUT = "ran", "not run", "failed", "ran out of time"
UNDER_WAY = "under way"
NOT_RUN_STATUS = 75
"""Exit status of a section that cannot run here; its last line is the reason."""

_PACKAGES = Path(__file__).parents[1]
_ROOTS = ("core", "client", "build_engines", "server", "loadtest", "training")
_LAST_LINES, _LAST_CHARACTERS = 12, 1500
_LOG_BYTES = 2**16
_TOLD_EVERY_S = 5.0
_LAST_WORDS_S = 2.0
"""How long a section that hangs has to say where, and the system to end it."""

END_S = 2 * _LAST_WORDS_S
"""So much longer than its budget a section that hangs may take."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a section ended.

    Attributes:
        section: Which.
        status: One of those above.
        reason: Why it is not ``ran``; its last words for those that failed or hung.
        took_s: How long it was.
        found: What it found, be it complete or not.
        log: The end of what it and the libraries that it calls have printed.
        began: When, in ISO 8601; empty where it did not.
    """

    section: Section
    status: str
    reason: str
    took_s: float
    found: dict[str, Any]
    log: str = ""
    began: str = ""


def run(
    sections: Sequence[Section],
    place: Place,
    course_s: float,
    tell: Callable[[str], None],
    keep: Callable[[Sequence[Outcome]], object] = lambda outcomes: None,
) -> list[Outcome]:
    """Run every section, within its own budget and what is left of the course's and not reserved for later ones.

    Args:
        sections: Which, in this order.
        place: Where they work.
        course_s: How long all of them may take together.
        tell: Takes a line at each section's begin and end.
        keep: Takes every few seconds what there is so far, since the whole course may be ended at any moment.
    """
    end = time.monotonic() + course_s
    outcomes: list[Outcome] = []
    for number, section in enumerate(sections, start=1):
        reserved_s = sum(later.reserved_s for later in sections[number:])
        budget_s = min(section.budget_s, end - time.monotonic() - reserved_s - END_S)
        tell(f"{section.title} (at most {max(budget_s, 0):.0f} s)")
        outcome = _run(section, place, budget_s, lambda so_far: keep([*outcomes, so_far]))
        tell(f"  {outcome.status} in {outcome.took_s:.0f} s{': ' if outcome.reason else ''}{outcome.reason}")
        outcomes.append(outcome)
        keep(outcomes)
    return outcomes


def _run(section: Section, place: Place, budget_s: float, keep: Callable[[Outcome], object]) -> Outcome:
    if budget_s <= 0:
        return Outcome(
            section, NOT_RUN, "the course's time was used up before, or is reserved for later sections", 0.0, {}
        )
    command = [sys.executable, "-m", "alphacut_gpu.worker", section.name, "--work", str(place.work)]
    command += ["--pack", str(place.pack)] if place.pack else []
    command += ["--quick"] if place.quick else []
    log = place.work / f"{section.name}.log"
    start, began = time.monotonic(), datetime.now(timezone.utc).isoformat(timespec="seconds")

    def so_far(status: str, reason: str) -> Outcome:
        took_s = time.monotonic() - start
        return Outcome(section, status, reason, took_s, place.found(section.name), _end_of(log), began)

    with log.open("w") as written:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            env=_variables(section, place),
            start_new_session=True,
        )
        try:
            while (status := _status(process, min(_TOLD_EVERY_S, start + budget_s - time.monotonic()))) is None:
                if time.monotonic() >= start + budget_s:
                    process.send_signal(signal.SIGUSR2)  # it prints where it hangs
                    _status(process, _LAST_WORDS_S)
                    break
                keep(so_far(UNDER_WAY, ""))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with whatever it has left running
            _status(process, _LAST_WORDS_S)  # a driver may hold it; the others need not wait
    lines = [line for line in _end_of(log).splitlines() if line.strip()]
    words = " / ".join(lines[-_LAST_LINES:])[-_LAST_CHARACTERS:]
    if status is None:
        return so_far(TIMED_OUT, f"it was ended after {budget_s:.0f} s{': ' if words else ''}{words}")
    if status == NOT_RUN_STATUS:
        return so_far(NOT_RUN, lines[-1])
    if status < 0:
        return so_far(FAILED, f"it ended by {signal.Signals(-status).name}: {words}")
    return so_far(FAILED, words) if status else so_far(RAN, "")


def _status(process: subprocess.Popen[bytes], within_s: float) -> int | None:
    """Return its exit status, or None if it is still running then."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(max(within_s, 0))
    return None


def _end_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_BYTES))
        return file.read().decode(errors="replace")


def _variables(section: Section, place: Place) -> dict[str, str]:
    """Return the process environment: the checkout first, then what was carried along, then what the machine has."""
    sites = [place.pack / "sites" / name for name in (section.name, "driver")] if place.pack else []
    paths = [_PACKAGES, *(CHECKOUT / root for root in _ROOTS), *sites]
    inherited = os.environ.get("PYTHONPATH", "")
    return {**os.environ, KEPT: str(place.work), "PYTHONPATH": os.pathsep.join([*map(str, paths), inherited])}
