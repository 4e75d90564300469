"""From the capacity of one machine to a number of machines and a price."""

from __future__ import annotations

import math
from dataclasses import dataclass

HEADROOM = 0.3
"""Share of each machine's capacity that is left free, for bursts and growth; a machine that fails is not in it."""

SPARE = 1
"""Machines that may fail while the others still carry the target, with the headroom of each left free."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What a target takes.

    Attributes:
        target_per_s: Images a second altogether.
        headroom: Share of each machine's capacity left free.
        spare: How many of the machines may fail.
        machines: How many it takes, the spare ones among them.
        cost_per_million: Of a million images at the planned load; None without a price.
    """

    target_per_s: float | None
    headroom: float
    spare: int
    machines: int | None
    cost_per_million: float | None


def plan(
    capacity_per_s: float,
    target_per_s: float | None = None,
    price_per_hour: float | None = None,
    headroom: float = HEADROOM,
    spare: int = SPARE,
) -> Fleet:
    """Plan machines for a target; a machine is paid whether it is used or not.

    Args:
        capacity_per_s: Of one machine.
        target_per_s: Images a second altogether; None for one machine at its planned load.
        price_per_hour: Of one machine, in any currency.
        headroom: Share to leave free.
        spare: Machines that may fail, 0 or more; without a target there is but one, and none to spare.
    """
    planned_per_s = capacity_per_s * (1 - headroom)
    machines = math.ceil(target_per_s / planned_per_s - 1e-9) + spare if target_per_s else None
    cost = None
    if price_per_hour is not None:
        served_per_s = target_per_s if target_per_s and machines else planned_per_s
        cost = (machines or 1) * price_per_hour / (3600 * served_per_s) * 1e6
    return Fleet(target_per_s, headroom, spare, machines, cost)
