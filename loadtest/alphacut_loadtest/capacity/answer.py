"""The one paragraph."""

from __future__ import annotations

import math

from alphacut_loadtest.capacity.result import Result, median_percentile_s
from alphacut_loadtest.capacity.search import BREAK_FACTOR
from alphacut_loadtest.digits import three
from alphacut_loadtest.traffic.slo import rounded


def paragraph(result: Result) -> str:
    """Say what was found, in words that stand alone."""
    percent, _ = result.slo.strictest
    fleet, own = result.fleet, result.origin.url is None
    server = f"One such machine ({result.origin.server})" if own else f"The service at {result.origin.url}"
    sentences = [
        f"{server} serves {three(result.capacity_per_s)} images a second of the mix {result.scenario!r} with "
        f"{result.slo}.",
        f"Confirmed at {three(result.capacity_per_s)} a second with arrivals not seen before, "
        f"p{percent:g} {rounded(result.percentile_s)}; "
        + (
            f"broken at {BREAK_FACTOR:g} times as many, p{percent:g} "
            f"{rounded(median_percentile_s(result.broken, result.slo))}."
            if not result.broken.kept
            else f"NOT broken at {BREAK_FACTOR:g} times as many, so there is more, or the machine was not steady."
        ),
        f"What saturates is {result.bottleneck.name}: {result.bottleneck.why}.",
        _law(result),
    ]
    if fleet.machines is not None and fleet.target_per_s is not None:
        kind, carrying = "machines" if own else "services", fleet.machines - fleet.spare
        spare = f"{fleet.spare} to spare, so that as many may fail" if fleet.spare else "none to spare if one fails"
        sentences.append(
            f"{three(fleet.target_per_s)} images a second take {fleet.machines} of these {kind}: "
            f"{carrying} with {100 * fleet.headroom:.0f} % of each left free, and {spare}."
        )
    if fleet.cost_per_million is not None:
        sentences.append(f"A million images cost {fleet.cost_per_million:,.2f}.")
    wrong = [check.name for check in result.checks if not check.holds]
    if wrong:
        sentences.append(f"BEWARE: the measurement contradicts itself ({', '.join(wrong)}); do not rely on it.")
    if result.shortage:
        sentences.append(f"BEWARE: the trials were too short for this promise: {result.shortage}.")
    return " ".join(sentences)


def _law(result: Result) -> str:
    knee = result.usl.knee_callers
    if knee <= result.most_callers:
        return (
            f"With callers who wait for each other the highest throughput is {three(result.usl.limit_per_s)} a second; "
            f"from {math.ceil(knee)} callers on more of them only wait longer."
        )
    # What the law says of callers who were not there would be a guess, which may well be infinite.
    return (
        f"With callers who wait for each other throughput grows up to {result.most_callers:g} of them, the most that "
        "were tried; to see where it ends give more --callers."
    )
