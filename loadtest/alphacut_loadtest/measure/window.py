"""A part of a run in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alphacut_loadtest.generator.outcome import Outcome
from alphacut_loadtest.generator.records import Samples

PERCENTS = (50.0, 90.0, 95.0, 99.0)
"""Those that every window has."""


@dataclass(frozen=True, slots=True)
class Window:
    """What callers saw who came between two moments.

    Attributes:
        duration_s: Its length.
        requests: How many came.
        offered_per_s: At which rate.
        achieved_per_s: Rate of good ends in the same time, whenever those requests had come.
        good: Share of the requests that ended as they should.
        answered: Share of requests with whole files that were answered; 1 if all files were broken on purpose, which
            a client may reject by itself, whoever is there.
        refused: Share turned away for lack of room.
        failed: Share of all else: late, failed, nobody there, rejected without reason; also those not sent.
        latency_s: Percentile to seconds from the intended start to the end, of good ends; empty without any.
        mean_latency_s: Their mean; 0 without any.
        refused_latency_s: The same percentiles of refusals.
        lag_p95_s: 95th percentile of how long requests were sent after they should have been.
        unsent: Requests for which the generator had no room.
    """

    duration_s: float
    requests: int
    offered_per_s: float
    achieved_per_s: float
    good: float
    answered: float
    refused: float
    failed: float
    latency_s: dict[str, float]
    mean_latency_s: float
    refused_latency_s: dict[str, float]
    lag_p95_s: float
    unsent: int

    def percentile_s(self, percent: float) -> float:
        """Return a percentile of the latency of good ends; infinite without any.

        Raises:
            KeyError: The window was made without this percentile.
        """
        return self.latency_s[_name(percent)] if self.latency_s else float("inf")


def window(samples: Samples, from_s: float, to_s: float, bounded: Sequence[float] = ()) -> Window:
    """Sum up the requests that were to be sent between two moments.

    Percentiles are interpolated between neighbours.

    Args:
        samples: All requests.
        from_s: The first moment.
        to_s: The moment after the last.
        bounded: Percentiles to give besides the usual ones, 0 to 100: those that an SLO bounds.
    """
    percents = sorted({*PERCENTS, *bounded})
    duration_s = to_s - from_s
    came = samples.where((samples.intended_s >= from_s) & (samples.intended_s < to_s))
    ended = samples.where((samples.ended_s >= from_s) & (samples.ended_s < to_s) & samples.good)
    n, whole = len(came), ~came.corrupt
    good, refused = came.good, came.that(Outcome.REFUSED)
    latency_s = came.latency_s[good]
    lag_s = came.sent_s - came.intended_s
    return Window(
        duration_s=duration_s,
        requests=n,
        offered_per_s=n / duration_s,
        achieved_per_s=len(ended) / duration_s,
        good=_share(int(good.sum()), n),
        answered=_share(int((good & whole).sum()), int(whole.sum())) if whole.any() else 1.0,
        refused=_share(int(refused.sum()), n),
        failed=_share(n - int(good.sum()) - int(refused.sum()), n),
        latency_s=_percentiles(latency_s, percents),
        mean_latency_s=float(latency_s.mean()) if len(latency_s) else 0.0,
        refused_latency_s=_percentiles(came.latency_s[refused], percents),
        lag_p95_s=float(np.percentile(lag_s, 95)) if n else 0.0,
        unsent=int(came.that(Outcome.UNSENT).sum()),
    )


def in_flight_mean(looks: Sequence[tuple[float, float]], from_s: float, to_s: float) -> float:
    """Return the mean of a gauge that was read now and then; 0 if never in that time."""
    seen = [number for at_s, number in looks if from_s <= at_s < to_s]
    return sum(seen) / len(seen) if seen else 0.0


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _percentiles(values: np.ndarray, percents: Sequence[float]) -> dict[str, float]:
    if not len(values):
        return {}
    found = np.percentile(values, percents)
    return {_name(percent): float(value) for percent, value in zip(percents, found, strict=True)}


def _name(percent: float) -> str:
    return f"p{percent:g}"
