"""Whether what was timed is also right: everybody's masks against rembg's, on the very pictures timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alphacut_core import codec, geometry
from alphacut_core.geometry import Pixels
from alphacut_loadtest.bench.contenders import Answer
from alphacut_loadtest.bench.pictures import Picture

_SUBJECT = 128


@dataclass(frozen=True, slots=True)
class Gate:
    """What an engine of some precision may differ from FP32.

    Attributes:
        mean_difference: Largest mean |Δ|, of 255.
        mean_iou: Smallest mean intersection over union at 128.
    """

    mean_difference: float
    mean_iou: float


GATES: Mapping[str, Gate] = {
    "fp32": Gate(1.0, 0.995),
    "fp16": Gate(1.0, 0.995),
    "bf16": Gate(1.0, 0.99),
    "int8": Gate(3.0, 0.98),
}


@dataclass(frozen=True, slots=True)
class Parity:
    """One contender's masks against rembg's, full size.

    Attributes:
        contender: Its name.
        mean_difference: Mean |Δ| over the pictures, 0 to 255.
        mean_iou: Mean over the pictures of intersection over union at 128.
        worst: Picture with the lowest IoU.
        worst_iou: That IoU.
        within: Whether means are within the gate of the engine's precision.
    """

    contender: str
    mean_difference: float
    mean_iou: float
    worst: str
    worst_iou: float
    within: bool


def mask(answer: bytes, kind: Answer, picture: Picture) -> Pixels:
    """Return an answer's mask: uint8 (height, width) of ``picture``."""
    if kind == "square":
        side = int(len(answer) ** 0.5)
        return np.asarray(
            geometry.to_picture(np.frombuffer(answer, np.uint8).reshape(side, side), picture.width, picture.height)
        )
    image = codec.decode(answer)
    return np.asarray(image if image.mode == "L" else image.getchannel("A"))


def compare(
    contender: str, masks: Sequence[Pixels], reference: Sequence[Pixels], pictures: Sequence[Picture], gate: Gate
) -> Parity:
    """Compare a contender's masks with the reference's, picture by picture."""
    pairs = list(zip(masks, reference, strict=True))
    differences = [float(np.abs(ours.astype(np.int16) - theirs).mean()) for ours, theirs in pairs]
    ious = [_iou(ours, theirs) for ours, theirs in pairs]
    worst = int(np.argmin(ious))
    mean_difference, mean_iou = float(np.mean(differences)), float(np.mean(ious))
    within = mean_difference <= gate.mean_difference and mean_iou >= gate.mean_iou
    return Parity(contender, mean_difference, mean_iou, pictures[worst].name, ious[worst], within)


def _iou(ours: Pixels, theirs: Pixels) -> float:
    union = np.count_nonzero((ours >= _SUBJECT) | (theirs >= _SUBJECT))
    both = np.count_nonzero((ours >= _SUBJECT) & (theirs >= _SUBJECT))
    return both / union if union else 1.0
