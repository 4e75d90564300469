"""Which precision is installed: the fastest that this processor has and whose masks are proved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import onnx

from alphacut_core.errors import EngineBuildError
from alphacut_core.geometry import Pixels
from alphacut_engines import calibration, evidence, gate, photographs, processor
from alphacut_engines.calibration import Calibration
from alphacut_engines.evidence import Evidence
from alphacut_engines.openvino_cpu import COMPILE_OPTIONS, OpenVinoEngine
from alphacut_engines.order import Order
from alphacut_engines.photographs import Photographs
from alphacut_engines.quantise import quantise
from alphacut_engines.reference import Reference
from alphacut_engines.report import Report, Row

RUNGS = ("int8", "bf16", "fp32")
"""Fastest first."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine to install, and why.

    Attributes:
        precision: What it computes in.
        compile_options: What the gate compiled it with, and the server has to.
        model: Its graph.
        report: What the gate measured, or None where nothing was.
        calibration: What INT8 was fitted by, or None where it was not tried.
    """

    precision: str
    compile_options: Mapping[str, str]
    model: onnx.ModelProto
    report: Report | None
    calibration: Calibration | None


def climb(order: Order, fused: onnx.ModelProto, source_sha256: str, tell: Tell) -> Choice:
    """Try the rungs from the one that was asked for downwards.

    Args:
        order: What was asked for.
        fused: The FP32 graph of the wire contract.
        source_sha256: Checksum of the network's file.
        tell: Takes a line about each rung: what it measured, or why it is not tried.

    Raises:
        EngineBuildError: What was asked for by name cannot be tried, or photographs are missing or broken.
        EngineParityError: Even FP32 is out of bounds.
        MissingLibraryError: OpenVINO is not installed.
    """
    known = evidence.of(order.recipe, source_sha256)
    rungs = _rungs(order, known, tell)
    if rungs == ("fp32",) and order.gate is None:
        return Choice("fp32", COMPILE_OPTIONS["fp32"], fused, None, None)
    fitted = _calibration(order, known, fused, source_sha256, tell) if "int8" in rungs else None
    graphs = {rung: _graph(rung, fused, fitted) for rung in rungs}
    pictures = _pictures(order)
    rows = _measure(graphs, gate.answers(Reference(fused, "gate"), pictures), pictures, tell)
    best = next((row.precision for row in rows if row.passed), None)
    if best is None:
        raise gate.refusal(rows[-1].precision, rows[-1].agreement)
    judged = Report(
        model=order.recipe.name,
        source_sha256=source_sha256,
        target=order.target,
        calibration_sha256=evidence.checksum(fitted) if fitted else None,
        photographs=pictures.kind,
        machine=processor.name(),
        rows=tuple(rows),
    )
    return Choice(best, COMPILE_OPTIONS[best], graphs[best], judged, fitted)


def _rungs(order: Order, known: Evidence, tell: Tell) -> tuple[str, ...]:
    asked = RUNGS if order.precision == "auto" else RUNGS[RUNGS.index(order.precision) :]
    tried = []
    for rung in asked[:-1]:
        obstacle = _obstacle(rung, order, known)
        if obstacle is None:
            tried.append(rung)
        elif rung == order.precision:
            raise EngineBuildError(f"{rung} cannot be built for {order.recipe.name}: {obstacle}")
        else:
            tell(f"{rung} is not tried: {obstacle}")
    return (*tried, "fp32")


def _obstacle(rung: str, order: Order, known: Evidence) -> str | None:
    if lack := processor.lacking(rung):
        return lack
    if order.gate is None and rung not in known.passed:
        return "nothing shows that its masks survive; pass --gate DIR with photographs"
    if order.gate is None and not photographs.samples(order.recipe.size).paths:
        return "there are no sample pictures here to check it on; pass --gate DIR with photographs"
    if rung == "int8" and order.calibration is None and known.calibration is None:
        return "nothing says which values flow through the network; pass --calibration DIR with photographs"
    return None


def _calibration(
    order: Order, known: Evidence, fused: onnx.ModelProto, source_sha256: str, tell: Tell
) -> Calibration | None:
    if order.calibration is None:
        return known.calibration
    pictures = photographs.of_folder(order.calibration, order.recipe.size, calibration.MIN_PICTURES)
    fitted = calibration.calibrate(fused, pictures, source_sha256)
    left_out = ", ".join(f"{len(names)} for {kind}" for kind, names in fitted.excluded.items())
    tell(f"calibrated on {fitted.pictures} photographs, best by {fitted.method}; layers left in FP32: {left_out}")
    return fitted


def _graph(rung: str, fused: onnx.ModelProto, fitted: Calibration | None) -> onnx.ModelProto:
    if rung != "int8" or fitted is None:
        return fused
    return quantise(fused, fitted.ranges, "uint8", fitted.excluded["uint8"])


def _pictures(order: Order) -> Photographs:
    if order.gate is None:
        return photographs.samples(order.recipe.size)
    return photographs.of_folder(order.gate, order.recipe.size, gate.MIN_PHOTOGRAPHS)


def _measure(
    graphs: Mapping[str, onnx.ModelProto], wanted: Sequence[Pixels], pictures: Photographs, tell: Tell
) -> list[Row]:
    rows = []
    for rung, graph in graphs.items():
        measured = gate.measure(OpenVinoEngine(graph, rung), pictures, wanted)
        row = Row.of(rung, graph.ByteSize(), measured)
        found = row.agreement
        tell(
            f"{rung}: mean |Δ| {found.mean_difference:.2f} of 255, mean IoU {found.mean_iou:.4f}, 1st percentile "
            f"{found.iou_p1:.4f}, {row.time_ms:.0f} ms on {found.pictures} pictures: "
            f"{'passed' if row.passed else f'REFUSED, worst is {found.worst!r} with IoU {found.worst_iou:.3f}'}"
        )
        rows.append(row)
    return rows
