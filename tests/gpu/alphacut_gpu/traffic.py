"""Locust against a running Triton: callers who wait, and arrivals by the clock."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alphacut_gpu.gpu_use import GpuUse
from alphacut_gpu.place import Place
from alphacut_loadtest.measure.run import Generator
from alphacut_loadtest.measure.service import Service
from alphacut_loadtest.measure.window import Window, window
from alphacut_loadtest.traffic import scenario_file, slo
from alphacut_loadtest.traffic.mix import Mix
from alphacut_loadtest.traffic.scenario import Lane, Scenario, Stage

MIX, FAST, PIXELS = (scenario_file.load(name).lanes[0].mix for name in ("steady", "steady-fast", "steady-pixels"))
"""JPEG files in, masks out; in the second the decoder makes pictures small, in the third somebody else has done so."""

_PROMISE = slo.parse("p95=1s,errors=0.1%")


@dataclass(frozen=True, slots=True)
class Traffic:
    """Sends to one server.

    Attributes:
        service: Triton's gRPC, and the processes whose work is counted.
        cache: Existing folder for the pictures that are made.
        warmup_s: Dropped before each measurement.
        measured_s: How long each measurement is.
    """

    service: Service
    cache: Path
    warmup_s: float
    measured_s: float

    @classmethod
    def to(cls, service: Service, place: Place) -> Traffic:
        """Return what a section of this course sends to a server."""
        times_s = (0.5, 2.0) if place.quick else (2.0, 5.0)
        return cls(service, place.folder("pictures"), *times_s)

    def closed(self, callers: int, mix: Mix = MIX) -> dict[str, Any]:
        """Let so many callers ask again and again."""
        return self._run(Lane("callers", mix, callers=callers), 1.0, min(callers, _processes()))

    def open(self, rate_per_s: float) -> dict[str, Any]:
        """Let requests arrive at random times at a rate, however slowly they are answered."""
        return self._run(Lane("visitors", MIX, share=1.0), rate_per_s, _processes())

    def _run(self, lane: Lane, rate_per_s: float, processes: int) -> dict[str, Any]:
        until_s = self.warmup_s + self.measured_s
        scenario = Scenario(
            name=lane.name,
            stages=(Stage(until_s, 1.0),),
            lanes=(lane,),
            slo=_PROMISE,
            warmup_s=self.warmup_s,
            timeout_s=10.0,
        )
        before_s = self.service.cpu_s()
        with GpuUse() as gpu:
            run = Generator(self.service.url, processes, None, self.cache).run(scenario, rate_per_s)
        spent_s = self.service.cpu_since_s(before_s) | {"senders": sum(one.cpu_s for one in run.processes)}
        sent = max(1, len(run.samples.lane))
        seen = {"sent": len(run.samples.lane), "gpu_use": gpu.share, "words": run.words}
        seen["processor_ms"] = {part: 1e3 * seconds / sent for part, seconds in spent_s.items()}
        return {**_stated(window(run.samples, self.warmup_s, until_s)), **seen}


def _stated(seen: Window) -> dict[str, Any]:
    return {
        "requests": seen.requests,
        "offered_per_s": seen.offered_per_s,
        "images_per_s": seen.achieved_per_s,
        "good": seen.good,
        "latency_ms": {name: seconds * 1e3 for name, seconds in seen.latency_s.items()},
        "sent_late_p95_ms": seen.lag_p95_s * 1e3,
    }


def _processes() -> int:
    """Return how many processes send: a third of the cores, since the server decodes on the others."""
    return max(1, len(os.sched_getaffinity(0)) // 3)
