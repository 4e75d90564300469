"""The real service, with Locust before it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from alphacut_core.errors import UnavailableError
from alphacut_loadtest.capacity.trial import Trial
from alphacut_loadtest.generator.outcome import Outcome
from alphacut_loadtest.generator.records import Samples
from alphacut_loadtest.measure import client_limit, enough
from alphacut_loadtest.measure.run import Generator, Run
from alphacut_loadtest.measure.service import Service
from alphacut_loadtest.measure.triton import Watch
from alphacut_loadtest.measure.window import in_flight_mean, window
from alphacut_loadtest.traffic.mix import Mix
from alphacut_loadtest.traffic.scenario import Lane, Scenario, Stage, protocol_of
from alphacut_loadtest.traffic.slo import Slo


@dataclass(frozen=True, slots=True)
class LocustTarget:
    """Every trial is a run of its own.

    Attributes:
        service: What is under load.
        generator: How requests are sent there.
        mix: What they are.
        slo: For its deadline: ten times what is promised, at least 10 s, is late beyond interest.
        warmup_s: Dropped at the start of each trial.
        trial_s: What is measured after it, at least.
    """

    service: Service
    generator: Generator
    mix: Mix
    slo: Slo
    warmup_s: float
    trial_s: float

    def open(self, rate_per_s: float, seed: int) -> Trial:
        """Let requests arrive by a Poisson process."""
        return self._trial("open", rate_per_s, Lane("trial", self.mix, share=1.0), rate_per_s, seed)

    def closed(self, callers: int) -> Trial:
        """Let callers ask in a closed loop, without pauses."""
        return self._trial("closed", callers, Lane("trial", self.mix, callers=callers), 1.0, callers)

    def _trial(self, kind: Literal["open", "closed"], level: float, lane: Lane, rate_per_s: float, seed: int) -> Trial:
        scenario = Scenario(
            name="trial",
            stages=(Stage(self.warmup_s + self._length_s(kind, level), 1.0),),
            lanes=(lane,),
            slo=self.slo,
            timeout_s=max(10.0, 10 * self.slo.strictest[1]),
            protocol=protocol_of(self.service.url),
        )
        before = self.service.cpu_s()
        try:
            with ExitStack() as stack:
                watch = stack.enter_context(Watch(self.service.metrics_url)) if self.service.metrics_url else None
                run = self.generator.run(scenario, rate_per_s, seed)
        except UnavailableError:
            self.service.check_running()  # or else that is why its page of metrics is not there
            raise
        cpu_s = self.service.cpu_since_s(before)
        cpu_s["client"] = sum(one.cpu_s for one in run.processes)
        return self._summed(kind, level, run, watch, cpu_s)

    def _reached(self, samples: Samples) -> npt.NDArray[np.bool_]:
        """Return which requests Triton should have seen: a gateway turns away some without asking it."""
        turned_away = samples.that(Outcome.REFUSED) | samples.that(Outcome.REJECTED)
        return ~(turned_away & (protocol_of(self.service.url) == "gateway"))

    def _length_s(self, kind: Literal["open", "closed"], level: float) -> float:
        """Return how long to measure: percentiles, which open trials are judged by, may take longer than was asked."""
        return enough.length_s(self.slo, level, self.trial_s) if kind == "open" else self.trial_s

    def _summed(
        self, kind: Literal["open", "closed"], level: float, run: Run, watch: Watch | None, cpu_s: dict[str, float]
    ) -> Trial:
        from_s, to_s = self.warmup_s, run.scenario.duration_s
        seen = window(run.samples, from_s, to_s, self.slo.percents)
        started_s = min(one.started_unix_s for one in run.processes)
        pending = [(at_s - started_s - from_s, waiting) for at_s, waiting in (watch.pending if watch else ())]
        return Trial(
            kind=kind,
            level=level,
            seed=run.seed,
            window=seen,
            in_flight=sum(in_flight_mean(one.in_flight, from_s, to_s) for one in run.processes),
            pending=[(at_s, waiting) for at_s, waiting in pending if 0 <= at_s < to_s - from_s],
            counters=watch.counters() if watch else None,
            sent=int(self._reached(run.samples).sum()),
            cpu_s=cpu_s,
            wall_s=max(one.wall_s for one in run.processes),
            client_limit=client_limit.reason(seen, run.processes, self.slo.strictest[1]),
            words=run.words,
        )
