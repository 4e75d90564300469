"""Which precision is installed: the fastest that this processor has and whose masks are proved."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import onnx

from alphacut_core.errors import EngineBuildError
from alphacut_core.geometry import Pixels
from alphacut_engines import calibration, evidence, fingerprint, gate, overflow, page, photographs, processor
from alphacut_engines.calibration import Calibration
from alphacut_engines.evidence import Evidence
from alphacut_engines.gate import Measurement
from alphacut_engines.manifest import CALIBRATION_FILE
from alphacut_engines.order import Order
from alphacut_engines.photographs import Photographs
from alphacut_engines.quantise import Activations
from alphacut_engines.reference import Reference
from alphacut_engines.report import Report, Row
from alphacut_engines.stage_cache import StageCache
from alphacut_engines.target import Network, Target, find

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine to install, and why.

    Attributes:
        precision: What it computes in.
        compile_options: What the gate compiled it with, and the server has to.
        model: Its graph.
        report: What the gate measured, or None where nothing was.
        page: The same for people, as HTML.
        calibration: What INT8 was fitted by, or None where it was not tried.
    """

    precision: str
    compile_options: Mapping[str, str]
    model: onnx.ModelProto
    report: Report | None
    page: str | None
    calibration: Calibration | None


def climb(order: Order, network: Network, source_sha256: str, tell: Tell, cache: StageCache) -> Choice:
    """Try the rungs from the one that was asked for downwards.

    Args:
        order: What was asked for.
        network: What graphs are made from.
        source_sha256: Checksum of the network's file.
        tell: Takes a line about each rung: what it measured, or why it is not tried.
        cache: Where a finished calibration is kept.

    Raises:
        EngineBuildError: What was asked for by name cannot be tried, or photographs are missing or broken.
        EngineParityError: Even FP32 is out of bounds.
        MissingLibraryError: The target's runtime is not installed.
    """
    target = find(order.target, order.level)
    known = evidence.of(order.recipe, order.evidence(target.evidence), source_sha256)
    rungs = _rungs(order, target, known, tell)
    if rungs == ("fp32",) and order.gate is None:
        return Choice("fp32", target.compile_options("fp32"), network.fused, None, None, None)
    fitted = None
    if "int8" in rungs:
        fitted = _calibration(order, known, network, source_sha256, kinds=kinds(order, target), tell=tell, cache=cache)
    reference = Reference(network.fused, "gate")
    pictures = _pictures(order)
    if pictures.kind == photographs.SAMPLES:
        pictures = gate.with_subject(reference, pictures)
    if "fp16" in rungs or ("int8" in rungs and target.around_int8 == "fp16"):
        network = _within_half(network, pictures, tell)
    graphs = {rung: target.graph(rung, network, fitted) for rung in rungs}
    measured = _measure(target, graphs, gate.answers(reference, pictures), pictures, tell)
    best = next((rung for rung in rungs if gate.passes(rung, measured[rung].agreement)), None)
    if best is None:
        raise gate.refusal("fp32", measured["fp32"].agreement)
    judged = Report(
        model=order.recipe.name,
        source_sha256=source_sha256,
        target=order.target,
        calibration_sha256=evidence.checksum(fitted) if fitted else None,
        photographs=pictures.kind,
        runtime=target.runtime(),
        machine=processor.name(),
        rows=tuple(Row.of(rung, graphs[rung].ByteSize(), measured[rung]) for rung in rungs),
    )
    return Choice(best, target.compile_options(best), graphs[best], judged, page.render(judged, measured), fitted)


def kinds(order: Order, target: Target) -> tuple[Activations, ...]:
    """Return the types of activations that a calibration is made for.

    What comes with weights serves all targets; a user's own is made for the one at hand.
    """
    return get_args(Activations) if isinstance(order.recipe.weights, Path) else (target.activations,)


def _rungs(order: Order, target: Target, known: Evidence, tell: Tell) -> tuple[str, ...]:
    first = target.automatic if order.precision == "auto" else order.precision
    if first not in target.rungs:
        raise EngineBuildError(f"got precision {first} for {order.target}; it has {', '.join(target.rungs)}")
    tried = []
    for rung in target.rungs[target.rungs.index(first) : -1]:
        obstacle = _obstacle(rung, order, target, known)
        if obstacle is None:
            tried.append(rung)
        elif rung == order.precision:
            raise EngineBuildError(f"{rung} cannot be built for {order.recipe.name}: {obstacle}")
        else:
            tell(f"{rung} is not tried: {obstacle}")
    return (*tried, "fp32")


def _obstacle(rung: str, order: Order, target: Target, known: Evidence) -> str | None:
    if lack := target.lacking(rung):
        return lack
    # What was proved of INT8 holds for the calibration that came with the weights.
    proved = rung in known.passed and not (rung == "int8" and order.calibration is not None)
    if order.gate is None and not proved:
        return "nothing shows that its masks survive; pass --gate DIR with photographs"
    if order.gate is None and not photographs.samples(order.recipe.size).paths:
        return "there are no sample pictures here to check it on; pass --gate DIR with photographs"
    fitted = known.calibration is not None and target.activations in known.calibration.excluded
    if rung == "int8" and order.calibration is None and not fitted:
        return "nothing says which values flow through the network; pass --calibration DIR with photographs"
    return None


def _calibration(
    order: Order,
    known: Evidence,
    network: Network,
    source_sha256: str,
    *,
    kinds: tuple[Activations, ...],
    tell: Tell,
    cache: StageCache,
) -> Calibration | None:
    if order.calibration is None:
        return known.calibration
    pictures = photographs.of_folder(order.calibration, order.recipe.size, calibration.MIN_PICTURES)

    def write(folder: Path) -> None:
        made = calibration.calibrate(network.fused, pictures, source_sha256, kinds)
        (folder / CALIBRATION_FILE).write_text(made.to_json())

    graph = hashlib.sha256(network.fused.SerializeToString()).hexdigest()
    inputs = {"graph": graph, "pictures": fingerprint.of_pictures(order.calibration), "kinds": kinds}
    entry = cache.through("calibrate", inputs, write)
    fitted = calibration.read(entry.folder / CALIBRATION_FILE)
    left_out = ", ".join(f"{len(names)} for {kind}" for kind, names in fitted.excluded.items())
    tell(
        f"calibrated on {fitted.pictures} photographs, best by {fitted.method}; convolutions left out: {left_out}"
        f"{entry.note}"
    )
    return fitted


def _within_half(network: Network, pictures: Photographs, tell: Tell) -> Network:
    """Find out which layers FP16 cannot hold."""
    overflowing = overflow.search(network.optimised, network.recipe, pictures)
    if overflowing:
        tell(f"fp16 leaves {len(overflowing)} layers in FP32, whose values it cannot hold: {', '.join(overflowing)}")
    return dataclasses.replace(network, overflowing=tuple(overflowing))


def _pictures(order: Order) -> Photographs:
    if order.gate is None:
        return photographs.samples(order.recipe.size)
    return photographs.of_folder(order.gate, order.recipe.size, gate.MIN_PHOTOGRAPHS)


def _measure(
    target: Target,
    graphs: Mapping[str, onnx.ModelProto],
    wanted: Sequence[Pixels],
    pictures: Photographs,
    tell: Tell,
) -> dict[str, Measurement]:
    measured = {}
    for rung, graph in graphs.items():
        measured[rung] = gate.measure(target.run(graph, rung), pictures, wanted)
        found = measured[rung].agreement
        verdict = (
            "passed"
            if gate.passes(rung, found)
            else f"REFUSED, worst is {found.worst!r} with IoU {found.worst_iou:.3f}"
        )
        tell(
            f"{rung}: mean |Δ| {found.mean_difference:.2f} of 255, mean IoU {found.mean_iou:.4f}, 1st percentile "
            f"{found.iou_p1:.4f}, {measured[rung].time_ms:.0f} ms on {found.pictures} pictures: {verdict}"
        )
    return measured
