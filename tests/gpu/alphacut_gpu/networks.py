"""The two networks as graphs of the wire contract, and the pictures that engines are judged by."""

from __future__ import annotations

import dataclasses
import os
from functools import cache
from pathlib import Path

import numpy as np
import onnx

from alphacut_core.agreement import BOUNDS
from alphacut_core.geometry import Pixels
from alphacut_engines import calibration, fuse, gate, optimise, photographs, quantise, source
from alphacut_engines.agreement import Agreement, Comparison
from alphacut_engines.calibration import Calibration
from alphacut_engines.gate import Engine
from alphacut_engines.reference import Reference
from alphacut_engines.registry import BUNDLED
from alphacut_engines.target import TARGETS, Network
from alphacut_gpu.place import KEPT
from alphacut_loadtest.bench.full_u2net import widen

SIZE = BUNDLED.size
NAMES = ("u2netp", "u2net")
"""The small one with the bundled weights, and the full one widened from them: the same masks from three times the
arithmetic."""


_WEIGHTS = Path(str(BUNDLED.weights))  # a file, as the bundled network's are


@cache
def plain(name: str) -> onnx.ModelProto:
    """Return a network as its exporter left it."""
    small = source.load(_WEIGHTS, BUNDLED)
    return small if name == "u2netp" else widen(small)


@cache
def _forms(name: str) -> Network:
    optimised = _optimised(name)
    return Network(BUNDLED, optimised, fuse.fuse(optimised, BUNDLED))


def _optimised(name: str) -> onnx.ModelProto:
    folder = os.environ.get(KEPT)
    kept = Path(folder, f"{name}.optimised.onnx") if folder else None
    if kept is not None and kept.is_file():
        return onnx.load(kept)
    made = optimise.optimise(plain(name), BUNDLED)
    if kept is not None:
        draft = kept.with_suffix(".draft")
        onnx.save(made, draft)
        draft.replace(kept)  # whole, though the section may be ended meanwhile
    return made


def graph(name: str, precision: str) -> onnx.ModelProto:
    """Return a network as TensorRT-RTX takes it."""
    return TARGETS["tensorrt_rtx"].graph(precision, _forms(name), _fitted(name) if precision == "int8" else None)


def _fitted(name: str) -> Calibration:
    """Return the bundled calibration, for the widened network under the names of the same convolutions there.

    What goes into these is the same values, in more channels.
    """
    small = calibration.read(_WEIGHTS.with_suffix(".calibration.json"))
    pairs = list(zip(*(quantise.convolutions(_forms(of).fused) for of in ("u2netp", name)), strict=True))
    named = {of.name: wide.name for of, wide in pairs}
    return dataclasses.replace(
        small,
        ranges={wide.input[0]: small.ranges[of.input[0]] for of, wide in pairs},
        excluded={kind: [named[left_out] for left_out in names] for kind, names in small.excluded.items()},
    )


def pictures(count: int | None = None) -> list[tuple[str, Pixels]]:
    """Return names and squares, uint8 (S, S, 3): the samples, each also mirrored, cropped and darkened."""
    return list(photographs.samples(SIZE))[:count]


@cache
def wanted(count: int | None = None) -> list[Pixels]:
    """Return the reference's mask of each: the small network in FP32 on the processor. The full one gives the same."""
    reference = Reference(graph("u2netp", "fp32"), "reference")
    return [reference.masks(square[None])[0][0] for _, square in pictures(count)]


def judge(engine: Engine, precision: str, count: int | None = None) -> dict[str, object]:
    """Run an engine over the pictures and say whether it would pass the gate."""
    comparison = Comparison()
    for (name, square), mask in zip(pictures(count), wanted(count), strict=True):
        comparison.add(name, engine.masks(square[None])[0][0], mask)
    return stated(comparison.result(), precision)


def stated(agreement: Agreement, precision: str) -> dict[str, object]:
    """Return an agreement with the bounds that it is held against."""
    bounds = dataclasses.asdict(BOUNDS[precision])
    passed = gate.passes(precision, agreement)
    return {**dataclasses.asdict(agreement), "precision": precision, "bounds": bounds, "passed": passed}


def batch(rows: int) -> Pixels:
    """Return so many different pictures, uint8 (rows, S, S, 3), none of them zeros."""
    squares = [square for _, square in pictures()]
    return np.stack([np.roll(squares[i % len(squares)], i, axis=0) for i in range(rows)])
