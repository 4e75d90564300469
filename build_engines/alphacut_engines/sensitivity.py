"""Which convolutions lose too much in INT8: measured one by one, left out from the worst on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import onnx

from alphacut_core.agreement import Bounds
from alphacut_core.geometry import Pixels
from alphacut_engines import gate
from alphacut_engines.agreement import Agreement
from alphacut_engines.photographs import Photographs
from alphacut_engines.quantise import Activations, Ranges, convolutions, quantise
from alphacut_engines.reference import Reference

TARGET = Bounds(mean_difference=1.0, mean_iou=0.995)
"""Stricter than the gate: on the photographs that it was fitted to INT8 looks better than on others."""

_PICTURES_ALONE = 6


def search(
    fused: onnx.ModelProto,
    ranges: Ranges,
    activations: Activations,
    pictures: Photographs,
    wanted: Sequence[Pixels],
    *,
    target: Bounds = TARGET,
) -> list[str]:
    """Return the convolutions to leave out, worst first: none if all can be INT8.

    Args:
        fused: The FP32 graph of the wire contract.
        ranges: Lowest and highest value of each convolution's input.
        activations: Type of the quantised inputs.
        pictures: What to measure on.
        wanted: The reference's masks of them.
        target: What to reach.

    Returns:
        The shortest list of worst ones that reaches ``target``, as if each more brought it closer, or half of all
        where that does not reach it; the gate has the last word.
    """

    def agreement(excluded: Sequence[str]) -> Agreement:
        engine = Reference(quantise(fused, ranges, activations, excluded), "sensitivity")
        return gate.measure(engine, pictures, wanted).agreement

    def reached(excluded: Sequence[str]) -> bool:
        found = agreement(excluded)
        return target.hold(found.mean_difference, found.mean_iou)

    if reached([]):
        return []
    ordered = by_harm(fused, ranges, activations, pictures, wanted)
    most = len(ordered) // 2
    return ordered[: min(1 + bisect_left(range(1, most), True, key=lambda n: reached(ordered[:n])), most)]


def by_harm(
    fused: onnx.ModelProto,
    ranges: Ranges,
    activations: Activations,
    pictures: Photographs,
    wanted: Sequence[Pixels],
) -> list[str]:
    """Return the convolutions' names ordered by the mean |Δ| that each causes when it alone is INT8, worst first."""
    few = pictures.some(_PICTURES_ALONE)
    chosen = [wanted[pictures.paths.index(path)] for path in few.paths]
    names = [node.name for node in convolutions(fused)]

    def harm(name: str) -> float:
        engine = Reference(
            quantise(fused, ranges, activations, [other for other in names if other != name]), "sensitivity"
        )
        return gate.measure(engine, few, chosen).agreement.mean_difference

    return sorted(names, key=harm, reverse=True)
