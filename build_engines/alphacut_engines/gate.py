"""No engine is installed ungated: its masks must be the reference's within these bounds."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from alphacut_core.agreement import BOUNDS, iou
from alphacut_core.errors import EngineParityError
from alphacut_core.geometry import Pixels
from alphacut_engines.agreement import Agreement, Comparison
from alphacut_engines.photographs import FOLDER, Photographs

MIN_PHOTOGRAPHS = 100
_N_WORST = 3
_NO_SUBJECT = 0.5
"""A confidence below which a network sees no subject: its map is next to nothing then, and its mask stretches noise."""


class Engine(Protocol):
    """Anything that turns squares into masks."""

    def masks(self, pictures: Pixels) -> tuple[Pixels, NDArray[np.float32]]:
        """Return masks uint8 (N, S, S) and confidences float32 (N, 1) of uint8 (N, S, S, 3)."""


@dataclass(frozen=True, slots=True)
class Specimen:
    """One picture with both masks.

    Attributes:
        iou: Intersection over union at 128.
        name: The picture's.
        square: uint8 (S, S, 3) RGB.
        mask: The engine's, uint8 (S, S).
        reference: The reference's, uint8 (S, S).
    """

    iou: float
    name: str
    square: Pixels
    mask: Pixels
    reference: Pixels


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one engine did on all pictures.

    Attributes:
        agreement: Its masks against the reference's.
        time_ms: Median time of one picture alone.
        worst: The three pictures of lowest IoU, worst first.
    """

    agreement: Agreement
    time_ms: float
    worst: tuple[Specimen, ...]


def with_subject(reference: Engine, photographs: Photographs) -> Photographs:
    """Return the files in which the reference sees a subject, or all where there is none.

    For a few pictures of which one would count much: what a mask of noise has in common with another says nothing.
    """
    plain = dataclasses.replace(photographs, kind=FOLDER)
    confidences = [float(reference.masks(square[None])[1].min()) for _, square in plain]
    seen = [path for path, sure in zip(photographs.paths, confidences, strict=True) if sure >= _NO_SUBJECT]
    return dataclasses.replace(photographs, paths=tuple(seen) or photographs.paths)


def answers(reference: Engine, photographs: Photographs) -> list[Pixels]:
    """Return the reference's masks, one a picture."""
    return [reference.masks(square[None])[0][0] for _, square in photographs]


def measure(engine: Engine, photographs: Photographs, wanted: Sequence[Pixels]) -> Measurement:
    """Run an engine over all pictures and compare its masks with ``wanted``, which ``answers`` returned."""
    comparison = Comparison()
    times_s = []
    worst: list[Specimen] = []
    for (name, square), reference in zip(photographs, wanted, strict=True):
        start = time.perf_counter()
        masks, _ = engine.masks(square[None])
        times_s.append(time.perf_counter() - start)
        comparison.add(name, masks[0], reference)
        worst.append(Specimen(iou(masks[0], reference), name, square, masks[0], reference))
        worst = sorted(worst, key=lambda specimen: specimen.iou)[:_N_WORST]
    return Measurement(comparison.result(), round(float(np.median(times_s)) * 1000, 1), tuple(worst))


def passes(precision: str, agreement: Agreement) -> bool:
    """Say whether an engine of ``precision`` may be installed."""
    return BOUNDS[precision].hold(agreement.mean_difference, agreement.mean_iou)


def refusal(precision: str, agreement: Agreement) -> EngineParityError:
    """Return the error for an engine that does not pass: by how much, and on which picture most."""
    bounds = BOUNDS[precision]
    return EngineParityError(
        f"stage gate: {precision} differs from the reference by mean |Δ| {agreement.mean_difference:.2f} of 255 "
        f"(allowed {bounds.mean_difference:g}) and mean IoU {agreement.mean_iou:.4f} (at least {bounds.mean_iou:g}) on "
        f"{agreement.pictures} pictures; worst is {agreement.worst!r} with IoU {agreement.worst_iou:.3f}"
    )
