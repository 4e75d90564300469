"""Run the sections one after another; none can stop another, nor outlast its time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alphacut_gpu.place import CHECKOUT, Place
from alphacut_gpu.sections import Section

RAN, NOT_RUN, FAILED, TIMED_OUT = "ran", "not run", "failed", "ran out of time"
NOT_RUN_STATUS = 75
"""Exit status of a section that cannot run here; its last line is the reason."""

_PACKAGES = Path(__file__).parents[1]
_ROOTS = ("core", "client", "build_engines", "server", "loadtest", "training")
_LAST_LINES = 12


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a section ended.

    Attributes:
        section: Which.
        status: One of the four above.
        reason: Why it is not ``ran``; its last words for those that failed.
        took_s: How long it was.
        found: What it found, be it complete or not.
    """

    section: Section
    status: str
    reason: str
    took_s: float
    found: dict[str, Any]


def run(sections: Sequence[Section], place: Place, course_s: float, tell: Callable[[str], None]) -> list[Outcome]:
    """Run every section, within its own budget and what is left of the course's and not reserved for later ones."""
    end = time.monotonic() + course_s
    outcomes = []
    for number, section in enumerate(sections, start=1):
        reserved_s = sum(later.reserved_s for later in sections[number:])
        budget_s = min(section.budget_s, end - time.monotonic() - reserved_s)
        tell(f"{section.title} (at most {max(budget_s, 0):.0f} s)")
        outcome = _run(section, place, budget_s)
        tell(f"  {outcome.status} in {outcome.took_s:.0f} s{': ' if outcome.reason else ''}{outcome.reason}")
        outcomes.append(outcome)
    return outcomes


def _run(section: Section, place: Place, budget_s: float) -> Outcome:
    if budget_s <= 0:
        return Outcome(
            section, NOT_RUN, "the course's time was used up before, or is reserved for later sections", 0.0, {}
        )
    command = [sys.executable, "-m", "alphacut_gpu.worker", section.name, "--work", str(place.work)]
    command += ["--pack", str(place.pack)] if place.pack else []
    command += ["--quick"] if place.quick else []
    log = place.work / f"{section.name}.log"
    start = time.monotonic()
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
            status: int | None = process.wait(budget_s)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    took_s = time.monotonic() - start
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    found = place.found(section.name)
    if status is None:
        return Outcome(section, TIMED_OUT, f"it was ended after {budget_s:.0f} s", took_s, found)
    if status == NOT_RUN_STATUS:
        return Outcome(section, NOT_RUN, lines[-1], took_s, found)
    if status:
        return Outcome(section, FAILED, " / ".join(lines[-_LAST_LINES:])[-1500:], took_s, found)
    return Outcome(section, RAN, "", took_s, found)


def _variables(section: Section, place: Place) -> dict[str, str]:
    """Return the process environment: the checkout first, then what was carried along, then what the machine has."""
    sites = [place.pack / "sites" / name for name in (section.name, "driver")] if place.pack else []
    paths = [_PACKAGES, *(CHECKOUT / root for root in _ROOTS), *sites]
    inherited = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, paths), inherited])}
