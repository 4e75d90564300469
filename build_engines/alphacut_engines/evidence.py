"""What is known about a network before this machine has measured anything.

A fresh clone has no photographs. For bundled weights their calibration and gate report are files beside them,
made by ``alphacut build --gate DIR --calibration DIR`` and valid for exactly these weights.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from alphacut_engines import calibration, report
from alphacut_engines.calibration import Calibration
from alphacut_engines.recipe import ModelRecipe


@dataclass(frozen=True, slots=True)
class Evidence:
    """Calibration and gate report that came with the weights, where they did."""

    calibration: Calibration | None
    passed: frozenset[str]


def of(recipe: ModelRecipe, name: str, source_sha256: str) -> Evidence:
    """Return what came with the weights of ``recipe``; nothing if ``source_sha256`` is another file's.

    Args:
        recipe: Whose weights.
        name: Of the report, ``Target.evidence``.
        source_sha256: Checksum of the file at hand.
    """
    if not isinstance(recipe.weights, Path):
        return Evidence(None, frozenset())
    calibration_path = recipe.weights.with_suffix(".calibration.json")
    report_path = recipe.weights.with_suffix(f".{name}.gate.json")
    ranges = calibration.read(calibration_path) if calibration_path.is_file() else None
    if ranges is None or ranges.source_sha256 != source_sha256:
        return Evidence(None, frozenset())
    judged = report.read(report_path) if report_path.is_file() else None
    if judged is None or judged.source_sha256 != source_sha256:
        return Evidence(ranges, frozenset())
    passed = {row.precision for row in judged.rows if row.passed}
    if judged.calibration_sha256 != checksum(ranges):
        passed.discard("int8")
    return Evidence(ranges, frozenset(passed))


def checksum(ranges: Calibration) -> str:
    """Return the SHA-256 of a calibration."""
    return hashlib.sha256(ranges.to_json().encode()).hexdigest()
