"""A server that exists only in numbers: a queue before some servers, whose capacity can be calculated."""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass

import pytest

from alphacut_loadtest.capacity.trial import Trial
from alphacut_loadtest.generator.outcome import OUTCOMES, Outcome
from alphacut_loadtest.generator.records import Samples
from alphacut_loadtest.measure.triton import Counters
from alphacut_loadtest.measure.window import window
from alphacut_loadtest.traffic.arrivals import poisson
from alphacut_loadtest.traffic.scenario import Stage

WARMUP_S, TRIAL_S = 30.0, 600.0
_LOOK_EVERY_S = 0.5


@dataclass
class QueueServer:
    """First come, first served, by ``n_servers`` with exponential service: M/M/c under open load.

    Stands where the real target stands. ``lag_s`` is how late the client sends.
    """

    n_servers: int
    service_per_s: float
    lag_s: float = 0.0
    lost: int = 0

    def open(self, rate_per_s: float, seed: int) -> Trial:
        rng = random.Random(f"arrivals {seed}")
        until_s = WARMUP_S + TRIAL_S
        arrivals = poisson([Stage(until_s, 1.0)], rate_per_s, rng)
        service = random.Random(f"service {seed}")
        free = [0.0] * self.n_servers
        rows = []
        for at_s in arrivals:
            sent_s = at_s + self.lag_s
            started_s = max(sent_s, heapq.heappop(free))
            ended_s = started_s + service.expovariate(self.service_per_s)
            heapq.heappush(free, ended_s)
            rows.append((0, at_s, sent_s, ended_s, OUTCOMES.index(Outcome.ANSWERED), 0))
        return self._trial("open", rate_per_s, seed, rows)

    def closed(self, callers: int) -> Trial:
        service = random.Random(f"closed {callers}")
        free, asking = [0.0] * self.n_servers, [0.0] * callers
        rows = []
        while asking[0] < WARMUP_S + TRIAL_S:
            at_s = heapq.heappop(asking)
            ended_s = max(at_s, heapq.heappop(free)) + service.expovariate(self.service_per_s)
            heapq.heappush(free, ended_s)
            heapq.heappush(asking, ended_s)
            rows.append((0, at_s, at_s, ended_s, OUTCOMES.index(Outcome.ANSWERED), 0))
        return self._trial("closed", callers, callers, rows)

    def capacity_per_s(self, percent: float, bound_s: float) -> float:
        """The rate at which the percentile of the time in the system is the bound, by the formulas of M/M/c."""
        low, high = 0.0, self.n_servers * self.service_per_s
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self._tail(middle, bound_s) < 1 - percent / 100 else (low, middle)
        return low

    def _tail(self, rate_per_s: float, t_s: float) -> float:
        """P(wait + service > t); the wait is 0, or by Erlang's C exponential."""
        mu, c = self.service_per_s, self.n_servers
        load = rate_per_s / mu
        queued = load**c / math.factorial(c) * c / (c - load)
        waits = queued / (sum(load**k / math.factorial(k) for k in range(c)) + queued)
        theta = c * mu - rate_per_s
        if abs(theta - mu) < 1e-9:
            theta += 1e-6
        both = (theta * math.exp(-mu * t_s) - mu * math.exp(-theta * t_s)) / (theta - mu)
        return (1 - waits) * math.exp(-mu * t_s) + waits * both

    def _trial(self, kind, level, seed, rows) -> Trial:  # type: ignore[no-untyped-def]
        samples = Samples.of(rows)
        to_s = WARMUP_S + TRIAL_S
        looks = [WARMUP_S + _LOOK_EVERY_S * number for number in range(int(TRIAL_S / _LOOK_EVERY_S))]
        begun, ended = samples.sent_s.copy(), samples.ended_s.copy()
        begun.sort()
        ended.sort()
        under_way = begun.searchsorted(looks) - ended.searchsorted(looks)
        pending = [(at_s - WARMUP_S, max(0, int(n) - self.n_servers)) for at_s, n in zip(looks, under_way, strict=True)]
        answered = len(samples) - self.lost
        times_s = float((samples.ended_s - samples.sent_s).sum())
        return Trial(
            kind=kind,
            level=level,
            seed=seed,
            window=window(samples, WARMUP_S, to_s),
            in_flight=float(under_way.mean()),
            pending=pending,
            counters={"remove_background": Counters(succeeded=answered, executions=answered, total_s=times_s)},
            sent=len(samples),
            wall_s=to_s,
            client_limit="requests were sent late" if self.lag_s else None,
        )


@pytest.fixture
def queue_server() -> type[QueueServer]:
    return QueueServer
