"""Whether what was timed is also right: everybody's masks against rembg's, on the very pictures timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alphacut_core import codec, geometry
from alphacut_core.agreement import BOUNDS, Bounds, iou
from alphacut_core.geometry import Pixels
from alphacut_loadtest.bench.contenders import Answer
from alphacut_loadtest.bench.pictures import Picture

GATES: Mapping[str, Bounds] = {**BOUNDS, "fp32": BOUNDS["fp16"]}
"""FP32 is given FP16's bounds: here the codecs and the fast decode count too, not the engine alone."""


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
    contender: str, masks: Sequence[Pixels], reference: Sequence[Pixels], pictures: Sequence[Picture], gate: Bounds
) -> Parity:
    """Compare a contender's masks with the reference's, picture by picture."""
    pairs = list(zip(masks, reference, strict=True))
    differences = [float(np.abs(ours.astype(np.int16) - theirs).mean()) for ours, theirs in pairs]
    ious = [iou(ours, theirs) for ours, theirs in pairs]
    worst = int(np.argmin(ious))
    mean_difference, mean_iou = float(np.mean(differences)), float(np.mean(ious))
    within = gate.hold(mean_difference, mean_iou)
    return Parity(contender, mean_difference, mean_iou, pictures[worst].name, ious[worst], within)
