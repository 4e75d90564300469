"""The written outcome of the gate, which stays beside the engine."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from alphacut_core.agreement import BOUNDS
from alphacut_core.errors import EngineBuildError
from alphacut_engines import gate
from alphacut_engines.agreement import Agreement
from alphacut_engines.gate import Measurement


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One candidate engine.

    Attributes:
        precision: What it computes in.
        passed: Whether it is within the bounds.
        size_bytes: Its graph.
        time_ms: Median time of one picture alone, on the machine that the report names.
        agreement: Its masks against the reference's.
    """

    precision: str
    passed: bool
    size_bytes: int
    time_ms: float
    agreement: Agreement

    @classmethod
    def of(cls, precision: str, size_bytes: int, measured: Measurement) -> Row:
        """Judge what was measured."""
        passed = gate.passes(precision, measured.agreement)
        return cls(
            precision=precision,
            passed=passed,
            size_bytes=size_bytes,
            time_ms=measured.time_ms,
            agreement=measured.agreement,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All candidates of one network against ONNX Runtime in FP32.

    Attributes:
        model: Name in the registry.
        source_sha256: Checksum of the network's file.
        target: What the engines are for.
        calibration_sha256: Checksum of the calibration behind INT8, or None.
        photographs: ``folder`` or ``samples``.
        runtime: What ran them.
        machine: Processor that it ran on.
        rows: One a candidate, fastest first.
    """

    model: str
    source_sha256: str
    target: str
    calibration_sha256: str | None
    photographs: str
    runtime: str
    machine: str
    rows: tuple[Row, ...]

    def to_json(self) -> str:
        """Return the report, and the bounds that it was judged by, as JSON."""
        bounds = {row.precision: dataclasses.asdict(BOUNDS[row.precision]) for row in self.rows}
        return json.dumps({**dataclasses.asdict(self), "bounds": bounds}, indent=2) + "\n"


def read(path: Path) -> Report:
    """Read what ``Report.to_json`` wrote.

    Raises:
        EngineBuildError: Something else.
    """
    try:
        content = json.loads(path.read_bytes())
        del content["bounds"]
        rows = (Row(**{**row, "agreement": Agreement(**row["agreement"])}) for row in content.pop("rows"))
        return Report(rows=tuple(rows), **content)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EngineBuildError(f"{path} is no gate report ({error}); pass --gate DIR to make one") from error
