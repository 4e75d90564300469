"""What is known about the model that is served."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import ContractError


@dataclass(frozen=True, slots=True)
class Model:
    """The one model of this gateway, as its builder recorded it.

    Attributes:
        name: Name of its engine in Triton, which requests give.
        size: Side of the network's square, in pixels.
        version: Identifies the engine; part of every cached mask's key.
        licence: Licence of the weights, if known.
        precision: Number format of the engine, if known.
        gate: The report of the comparison with the FP32 reference, if there is one.
    """

    name: str = DEFAULT_PIPELINE.engine
    size: int = DEFAULT_PIPELINE.size
    version: str = "unknown"
    licence: str | None = None
    precision: str | None = None
    gate: dict[str, Any] | None = None


def read_model(repository: Path | None) -> Model:
    """Read manifest and gate report of the engine in a model repository; without one, what the contract says.

    Raises:
        ContractError: The manifest named is missing or damaged.
    """
    if repository is None:
        return Model()
    folder = repository / DEFAULT_PIPELINE.engine / "1"
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        report = folder / "gate.json"
        gate = json.loads(report.read_bytes()) if report.exists() else None
        return Model(
            size=int(manifest["size"]),
            version=str(manifest["key"]),
            licence=manifest["recipe"].get("licence"),
            precision=manifest["precision"],
            gate=gate,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ContractError(
            f"cannot read the engine's manifest in {folder} ({type(error).__name__}: {error}); "
            "build the engine with alphacut build, or name another model repository"
        ) from error
