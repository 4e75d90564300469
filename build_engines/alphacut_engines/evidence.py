"""What is known about a network before this machine has measured anything.

A fresh clone has no photographs. Of the bundled weights, and of some that are published, calibration and gate report
are files in this package, made by ``alphacut build --gate DIR --calibration DIR`` and valid for exactly these weights.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from alphacut_engines import calibration, report
from alphacut_engines.calibration import Calibration
from alphacut_engines.recipe import ModelRecipe


@dataclass(frozen=True, slots=True)
class Evidence:
    """Calibration and gate report that came with the weights, where they did."""

    calibration: Calibration | None
    passed: frozenset[str]

    def facts(self) -> dict[str, Any]:
        """Return what tells it from other evidence, for JSON."""
        return {"calibration": checksum(self.calibration) if self.calibration else None, "passed": sorted(self.passed)}


def of(recipe: ModelRecipe, name: str, source_sha256: str) -> Evidence:
    """Return what is known of the weights of ``recipe``; nothing if ``source_sha256`` is another file's.

    Args:
        recipe: Whose weights.
        name: Of the report, ``Target.evidence``.
        source_sha256: Checksum of the file at hand.
    """
    calibration_path, report_path = recipe.known("calibration.json"), recipe.known(f"{name}.gate.json")
    ranges = calibration.read(calibration_path) if calibration_path else None
    if ranges is None or ranges.source_sha256 != source_sha256:
        return Evidence(None, frozenset())
    judged = report.read(report_path) if report_path else None
    if judged is None or judged.source_sha256 != source_sha256:
        return Evidence(ranges, frozenset())
    passed = {row.precision for row in judged.rows if row.passed}
    if judged.calibration_sha256 != checksum(ranges):
        passed.discard("int8")
    return Evidence(ranges, frozenset(passed))


def checksum(ranges: Calibration) -> str:
    """Return the SHA-256 of a calibration."""
    return hashlib.sha256(ranges.to_json().encode()).hexdigest()
