"""One measurement at one level of load, and whoever can be measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from alphacut_loadtest.measure.triton import Counters
from alphacut_loadtest.measure.window import Window
from alphacut_loadtest.traffic.slo import Slo, duration

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
        sent: Requests of the whole trial, with its warm-up.
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
        seen, found = self.window, []
        for percent, bound_s in slo.latency_s:
            got_s = seen.percentile_s(percent)
            if not got_s <= bound_s:
                found.append(f"p{percent:g} is {duration(float(f'{got_s:.3g}'))} instead of {duration(bound_s)}")
        bad = 1 - seen.good if slo.refusals is None else seen.failed
        if bad > slo.errors:
            found.append(f"{100 * bad:.2g} % end badly instead of {100 * slo.errors:g} %")
        if self.kind == "open" and (lag := self._behind()):
            found.append(lag)
        return found

    def blames_server(self, slo: Slo) -> bool:
        """Say whether the SLO would be missed even if every request had been sent in time.

        A server that takes all of a machine makes a client on the same machine late as well.
        """
        seen = self.window
        late = any(seen.percentile_s(percent) - seen.lag_p95_s > bound_s for percent, bound_s in slo.latency_s)
        return late or bool(self._behind())

    def _behind(self) -> str:
        """Say whether work piles up although the bounds still hold, which only a short trial can hide."""
        seen = self.window
        # The queue of a server that keeps up goes up and down as well, by about as much as is under way.
        chance = max(2.0, _CHANCE * self.in_flight)
        if seen.achieved_per_s * seen.duration_s < _KEPT_UP * seen.requests - chance:
            return f"only {seen.achieved_per_s:.3g} of {seen.offered_per_s:.3g} a second end"
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
