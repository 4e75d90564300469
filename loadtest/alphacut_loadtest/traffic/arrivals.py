"""When requests arrive: a Poisson process whose rate changes from stage to stage."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from alphacut_loadtest.traffic.scenario import Stage


def poisson(stages: Sequence[Stage], rate_per_s: float, rng: random.Random) -> Iterator[float]:
    """Yield the times of arrivals in seconds from the start of the first stage.

    Gaps of a process of rate 1 are exponential; stretched by the rate of the moment they give one of that rate
    (time change; Cinlar, Introduction to Stochastic Processes, 1975, chapter 4.7). The same generator gives the same
    pattern at every base rate, only denser, which makes neighbouring rates comparable.

    Args:
        stages: How many times the base rate, for how long.
        rate_per_s: The base rate.
        rng: Where randomness comes from.
    """
    needed = rng.expovariate(1.0)  # of the expected number of arrivals, up to the next one
    started_s = 0.0
    for stage in stages:
        expected_per_s = stage.rate * rate_per_s
        at_s = 0.0
        while expected_per_s and at_s + needed / expected_per_s <= stage.duration_s:
            at_s += needed / expected_per_s
            yield started_s + at_s
            needed = rng.expovariate(1.0)
        needed -= (stage.duration_s - at_s) * expected_per_s
        started_s += stage.duration_s
