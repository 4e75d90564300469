"""What lies beside an engine and says what it is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alphacut_core import installed, tiers
from alphacut_core.contract import Pipeline

ENGINE_FILE = "model.onnx"
PLAN_FILE = "model.engine"
ARTEFACT_SUFFIXES = (".onnx", ".engine", ".plan")
MANIFEST_FILE = installed.MANIFEST_FILE
LOSS_FILE = "loss.json"
REPORT_FILE = "gate.json"
PAGE_FILE = "gate.html"
CALIBRATION_FILE = "calibration.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """Facts about one built engine.

    Attributes:
        model: Name in the registry.
        slot: What callers call it; the name of its full tier's Triton model.
        tier: Name of its size.
        native_size: Side in pixels of the square of the full tier.
        recipe: The recipe's facts.
        target: What the engine is for, ``cpu`` for instance.
        precision: ``fp32``, ``bf16``, ``fp16``, ``int8``: what the engine computes in.
        compile_options: What the serving runtime is to compile with, as the gate did.
        size: Side of the square input in pixels.
        contract_version: The wire contract that the graph fulfils.
        source_sha256: Checksum of the ONNX file that was given, and of those that it refers to.
        engine_sha256: Checksum of the engine's file.
        accuracy: What was measured against the masks of the full tier in FP32, or None where nothing was.
        time_ms: Median time of one picture alone through the engine, or None where it cannot run here.
        machine: What that was measured on.
        built_for: What the engine needs of the machine that loads it.
        artefacts: File name to SHA-256 of what is installed.
        tools: Package name to version of what built it.
        created_by: Name and version of this package.
        key: Hash of all that the outcome depends on.
    """

    model: str
    slot: str
    tier: str
    native_size: int
    recipe: Mapping[str, Any]
    target: str
    precision: str
    compile_options: Mapping[str, str]
    size: int
    contract_version: str
    source_sha256: str
    engine_sha256: str
    accuracy: Mapping[str, Any] | None
    time_ms: float | None
    machine: str | None
    built_for: Mapping[str, str]
    artefacts: Mapping[str, str]
    tools: Mapping[str, str]
    created_by: str
    key: str

    def to_json(self) -> str:
        """Return the manifest as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"


def read(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of the engine in ``folder``, or None where there is none that can be read."""
    try:
        content = json.loads((folder / MANIFEST_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def pipeline(written: Mapping[str, Any]) -> Pipeline:
    """Return the Triton models that serve the engine of a manifest."""
    return tiers.pipeline(written["slot"], written["tier"], written["native_size"])
