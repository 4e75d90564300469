"""One measurement at one level of load, and whoever can be measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from alphacut_loadtest.digits import three
from alphacut_loadtest.measure.misses import misses
from alphacut_loadtest.measure.triton import Counters
from alphacut_loadtest.measure.window import Window
from alphacut_loadtest.traffic.slo import Slo

_KEPT_UP = 0.98
_CHANCE = 1.5
_GROWTH = 0.75


@dataclass(frozen=True, slots=True)
class Trial:
    """What a level gave, warm-up dropped.

    Attributes:
        kind: ``open`` for a rate, ``closed`` for a number of callers.
        level: Requests a second that were asked for, or callers.
        seed: Of the arrivals.
        window: What callers saw.
        in_flight: Mean number of requests under way, by a clock of the generator's own.
        pending: Seconds in the window and requests that waited in Triton; empty where its page is not known.
        counters: Triton's, over the whole trial, by model; empty where its page is not known.
        sent: Requests of the whole trial, with its warm-up, that Triton should have seen.
        cpu_s: Processor seconds over the whole trial by part of the service, and of the ``client``.
        wall_s: Length of the whole trial.
        client_limit: Why the client was the limit; None if it was not.
        words: First words of the server for each kind of outcome that was not wanted.
    """

    kind: Literal["open", "closed"]
    level: float
    seed: int
    window: Window
    in_flight: float
    pending: Sequence[tuple[float, float]] = ()
    counters: Mapping[str, Counters] | None = None
    sent: int = 0
    cpu_s: Mapping[str, float] | None = None
    wall_s: float = 0.0
    client_limit: str | None = None
    words: Mapping[str, str] | None = None

    def queue_growth(self) -> float:
        """Return by how many requests the queue in Triton grew over the window, by the line of least squares."""
        if len(self.pending) < 3:
            return 0.0
        at_s, waiting = np.asarray(self.pending).T
        slope_per_s = float(np.polyfit(at_s, waiting, 1)[0])
        return slope_per_s * self.window.duration_s

    def misses(self, slo: Slo) -> list[str]:
        """Return what of the SLO is not kept, in words; empty for a rate that can be sustained."""
        found = misses(slo, self.window)
        if self.kind == "open" and (lag := self._behind()):
            found.append(lag)
        return found

    def blames_server(self, slo: Slo) -> bool:
        """Say whether the SLO would be missed even if every request had been sent in time.

        A server that takes all of a machine makes a client on the same machine late as well.
        """
        seen = self.window
        unsent = seen.unsent / seen.requests if seen.requests else 0.0
        in_time = dataclasses.replace(
            seen,
            good=seen.good + unsent,
            failed=seen.failed - unsent,
            latency_s={name: seconds - seen.lag_p95_s for name, seconds in seen.latency_s.items()},
            refused_latency_s={name: seconds - seen.lag_p95_s for name, seconds in seen.refused_latency_s.items()},
        )
        return bool(misses(slo, in_time) or self._behind())

    def _behind(self) -> str:
        """Say whether work piles up although the bounds still hold, which only a short trial can hide."""
        seen = self.window
        # The queue of a server that keeps up goes up and down as well, by about as much as is under way.
        chance = max(2.0, _CHANCE * self.in_flight)
        # Those that end badly are no work that piles up: the promise says how many may.
        good_per_s = seen.good * seen.offered_per_s
        if seen.achieved_per_s * seen.duration_s < _KEPT_UP * good_per_s * seen.duration_s - chance:
            return f"only {three(seen.achieved_per_s)} of {three(good_per_s)} a second end"
        growth, most = self.queue_growth(), seen.offered_per_s * seen.percentile_s(95)
        if growth > max(4.0, _GROWTH * most):
            return f"the queue in Triton grows by {growth:.0f} requests"
        return ""


class Target(Protocol):
    """Something that can be put under load."""

    def open(self, rate_per_s: float, seed: int) -> Trial:
        """Let requests arrive at random at a rate."""

    def closed(self, callers: int) -> Trial:
        """Let so many callers ask again and again."""
