"""A bench's result as one object, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from alphacut_loadtest.bench import targets
from alphacut_loadtest.bench.contenders import Contender
from alphacut_loadtest.bench.machine import Commit, Machine
from alphacut_loadtest.bench.memory import Footprint
from alphacut_loadtest.bench.parity import Parity
from alphacut_loadtest.bench.pictures import Picture
from alphacut_loadtest.bench.summary import Measurement, figures, ratios
from alphacut_loadtest.bench.targets import Outcome

SCHEMA = 1
"""Raised when a reader of older results would misread newer ones."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What was served, from its manifest."""

    model: str
    architecture: str
    precision: str
    source_sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """Everything that one run found.

    Attributes:
        created: When, ISO 8601 in UTC.
        commit: What of, if known.
        machine: On what.
        engine: What was served; rembg ran the weights it was built from.
        versions: By subject.
        start_s: Seconds from the start of each subject to its first answer.
        pictures: What everybody got, in the order that ``Measurement.latencies_s`` counts.
        contenders: Who took part.
        left_out: Who could not, and why.
        measurements: All turns; warm-ups were dropped.
        footprints: Memory, watched in turns that were not timed.
        parity: Masks against rembg's; empty without rembg.
    """

    created: str
    commit: Commit | None
    machine: Machine
    engine: Engine
    versions: Mapping[str, Mapping[str, str]]
    start_s: Mapping[str, float]
    pictures: Sequence[Picture]
    contenders: Sequence[Contender]
    left_out: Mapping[str, str]
    measurements: Sequence[Measurement]
    footprints: Sequence[Footprint]
    parity: Sequence[Parity]

    def outcomes(self) -> list[Outcome]:
        """Return how far this run is from each target."""
        return targets.outcomes(
            self.engine.architecture, self.engine.precision, self.measurements, self.pictures, self.footprints
        )

    def to_json(self) -> str:
        """Return everything, the sums included; figures of time in seconds, of memory in bytes."""
        content: dict[str, Any] = asdict(self)
        content["pictures"] = [
            {
                "name": picture.name,
                "width": picture.width,
                "height": picture.height,
                "bytes": picture.path.stat().st_size,
            }
            for picture in self.pictures
        ]
        content["figures"] = [asdict(one) for one in figures(self.measurements)]
        content["ratios"] = [asdict(one) for one in ratios(self.measurements)]
        content["targets"] = [asdict(one) for one in self.outcomes()]
        return json.dumps({"schema": SCHEMA, **content}, indent=1)
