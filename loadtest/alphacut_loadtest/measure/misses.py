"""What of a promise was not kept."""

from __future__ import annotations

from alphacut_loadtest.digits import three
from alphacut_loadtest.measure.window import Window
from alphacut_loadtest.traffic.slo import Slo, duration, rounded

_ROUNDING = 1e-9  # of shares: 7 of 1000 are more than 0.7 / 100


def misses(slo: Slo, seen: Window) -> list[str]:
    """Return what of an SLO a window misses, in words; recovery is not a window's to tell.

    Args:
        slo: What was promised.
        seen: Made with the SLO's percentiles.
    """
    if not seen.requests:
        return [f"nothing came in {seen.duration_s:g} s"]
    found = []
    for percent, bound_s in slo.latency_s:
        got_s = seen.percentile_s(percent)
        if not got_s <= bound_s:
            found.append(f"p{percent:g} is {rounded(got_s)} instead of {duration(bound_s)}")
    bad = 1 - seen.good if slo.refusals is None else seen.failed
    if bad > slo.errors + _ROUNDING:
        found.append(f"{three(100 * bad)} % end badly instead of {100 * slo.errors:g} %")
    if slo.refusals is not None and seen.refused > slo.refusals + _ROUNDING:
        found.append(f"{three(100 * seen.refused)} % are refused instead of {100 * slo.refusals:g} %")
    refused_s = seen.refused_latency_s.get("p95", 0.0)
    if slo.refused_p95_s is not None and refused_s > slo.refused_p95_s:
        found.append(f"p95 of refusals is {rounded(refused_s)} instead of {duration(slo.refused_p95_s)}")
    return found
