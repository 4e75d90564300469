"""Whether a run measured the server, or the machine that sent."""

from __future__ import annotations

from collections.abc import Sequence

from alphacut_loadtest.generator.records import GeneratorProcess
from alphacut_loadtest.measure.window import Window

_MOST_CPU = 0.9
_LEAST_LAG_S = 0.02
_LAG_OF_BOUND = 0.1


def reason(window: Window, processes: Sequence[GeneratorProcess], bound_s: float) -> str | None:
    """Return why the client was the limit, or None if it was not.

    Args:
        window: What was seen.
        processes: Those that sent.
        bound_s: The latency that is promised: what is sent late by a tenth of it, or 20 ms, was not sent in time.
    """
    if window.unsent:
        return f"{window.unsent} requests could not be sent, because too many were under way"
    allowed_s = max(_LEAST_LAG_S, _LAG_OF_BOUND * bound_s)
    if window.lag_p95_s > allowed_s:
        return (
            f"requests were sent late, by {1000 * window.lag_p95_s:.0f} ms in the 95th percentile where "
            f"{1000 * allowed_s:.0f} ms are allowed"
        )
    busiest = max((one.cpu_s / one.wall_s for one in processes if one.wall_s), default=0.0)
    if busiest > _MOST_CPU:
        return f"a process that sends used {100 * busiest:.0f} % of a core"
    return None
