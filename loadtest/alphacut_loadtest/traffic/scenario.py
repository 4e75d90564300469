"""A load test as data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Literal, get_args

from alphacut_core import checks, deadlines
from alphacut_core.errors import InvalidOptionError
from alphacut_core.tiers import MODES, Mode
from alphacut_loadtest.traffic.mix import Mix
from alphacut_loadtest.traffic.slo import Slo

Protocol = Literal["grpc", "gateway"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)

MAX_CALLERS = 10_000
"""Each is a greenlet, and a request under way."""

_ROUNDING = 1e-9


def protocol_of(url: str) -> Protocol:
    """Return which front an address is: ``http://`` and ``https://`` are a gateway's."""
    return "gateway" if url.startswith(("http://", "https://")) else "grpc"


@dataclass(frozen=True, slots=True)
class Stage:
    """So long, at so many times the base rate."""

    duration_s: float
    rate: float

    def __post_init__(self) -> None:
        if not (0 < self.duration_s < math.inf and 0 <= self.rate < math.inf):
            raise InvalidOptionError(
                f"got a stage of {self.duration_s} s at {self.rate} times the base rate; give a finite duration above "
                "0 and a finite rate of 0 or more"
            )


@dataclass(frozen=True, slots=True)
class Lane:
    """One kind of traffic among others.

    Open, as visitors are: requests arrive at random times at a set rate, however slowly they are answered. Or
    closed, as a bulk job is: a number of callers, each asking again once it is answered.

    Attributes:
        name: How results call it.
        mix: What it sends.
        share: Of the scenario's rate, 0 to 1; open lanes only.
        callers: Of a closed lane; 0 for an open one.
    """

    name: str
    mix: Mix
    share: float = 0.0
    callers: int = 0

    def __post_init__(self) -> None:
        checks.integer("callers", self.callers, 0, MAX_CALLERS)
        if bool(self.share > 0) == bool(self.callers > 0) or not 0 <= self.share <= 1:
            raise InvalidOptionError(
                f"got lane {self.name!r} with share={self.share} and callers={self.callers}; give either a share of "
                "the rate, above 0 and up to 1, or a number of callers"
            )

    @property
    def is_open(self) -> bool:
        """Whether requests arrive by the clock."""
        return self.share > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """What one run does.

    Attributes:
        name: How results call it.
        about: What it is for.
        stages: One after the other; of open lanes.
        lanes: At the same time; at most one of them closed, and the shares of the others are 1 altogether, or less.
        slo: What makes it a pass; judged after the warm-up.
        warmup_s: Dropped from the results, at the start.
        timeout_s: Deadline of one request.
        protocol: Which front it is meant for: Triton's gRPC, or the gateway's HTTP.
        gateway: Settings of the gateway that is started for it, by name.
    """

    name: str
    stages: tuple[Stage, ...]
    lanes: tuple[Lane, ...]
    slo: Slo
    about: str = ""
    warmup_s: float = 0.0
    timeout_s: float = 30.0
    protocol: Protocol = "grpc"
    gateway: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name or Path(self.name).name != self.name:
            raise InvalidOptionError(
                f"got the name {self.name!r} of a scenario; its results are files of that name: give one without "
                "slashes"
            )
        if not self.stages or not self.lanes:
            raise InvalidOptionError(f"got scenario {self.name!r} without stages or lanes; give at least one of each")
        if sum(not lane.is_open for lane in self.lanes) > 1:
            raise InvalidOptionError(f"got several lanes with callers in scenario {self.name!r}; give at most one")
        shares = math.fsum(lane.share for lane in self.lanes)
        if shares > 1 + _ROUNDING:
            raise InvalidOptionError(
                f"got shares of the rate that add up to {shares:g} in scenario {self.name!r}; give shares of 1 "
                "altogether or less, and rates of stages that are as much higher"
            )
        if len({lane.name for lane in self.lanes}) < len(self.lanes):
            raise InvalidOptionError(f"got two lanes of one name in scenario {self.name!r}; name them apart")
        if not 0 <= self.warmup_s < self.duration_s:
            raise InvalidOptionError(
                f"got warmup_s={self.warmup_s} in scenario {self.name!r} of {self.duration_s:g} s; give less than that"
            )
        deadlines.check_timeout(self.timeout_s)
        if self.protocol not in PROTOCOLS:
            raise InvalidOptionError(f"got protocol={self.protocol!r}; allowed are {', '.join(PROTOCOLS)}")
        if self.protocol == "gateway" and any(lane.mix.sends_pixels for lane in self.lanes):
            raise InvalidOptionError(
                f"got uploads of pixels in scenario {self.name!r}; a gateway takes files: send them to Triton, by grpc"
            )

    @property
    def duration_s(self) -> float:
        """From the first arrival that is possible to the last."""
        return sum(stage.duration_s for stage in self.stages)

    @property
    def open_lanes(self) -> tuple[Lane, ...]:
        """Those with arrivals."""
        return tuple(lane for lane in self.lanes if lane.is_open)

    @property
    def closed_lane(self) -> Lane | None:
        """The one with callers, if any."""
        return next((lane for lane in self.lanes if not lane.is_open), None)

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Tiers that its lanes ask for, the largest first."""
        asked = {mode for lane in self.lanes for mode, share in lane.mix.modes.items() if share}
        return tuple(mode for mode in MODES if mode in asked)

    @property
    def peak_ended_s(self) -> float | None:
        """The end of the highest stage, the first of several; None where no other follows."""
        peak = max(range(len(self.stages)), key=lambda number: self.stages[number].rate)
        return None if peak + 1 == len(self.stages) else self.bounds_s()[peak][1]

    def until(self, ended_s: float) -> Scenario:
        """Return what of it lies before a moment after its warm-up."""
        stages = tuple(
            Stage(min(to_s, ended_s) - from_s, stage.rate)
            for stage, (from_s, to_s) in zip(self.stages, self.bounds_s(), strict=True)
            if from_s < ended_s
        )
        return replace(self, stages=stages)

    def bounds_s(self) -> list[tuple[float, float]]:
        """Return start and end of each stage."""
        ends = accumulate((stage.duration_s for stage in self.stages), initial=0.0)
        return list(pairwise(ends))
