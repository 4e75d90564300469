"""The same network in every form that tutorials compare, each with the runtime that is fastest for it on a CPU."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata

import onnx

from alphacut_engines import dynamic, fuse, half, half_rounding, optimise, overflow, processor
from alphacut_engines.calibration import Calibration
from alphacut_engines.gate import Engine
from alphacut_engines.openvino_cpu import OpenVinoEngine
from alphacut_engines.photographs import Photographs
from alphacut_engines.quantise import quantise
from alphacut_engines.reference import Reference
from alphacut_engines.target import TARGETS, Network


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of a network in one runtime.

    Attributes:
        name: ``FP32 as exported``, for instance.
        precision: What the gate would judge it as.
        runtime: Name and version.
        size_bytes: Its graph on the disk.
        load: Loads it, to be timed.
        judged: Loads what its masks are judged by, where that is another engine.
    """

    name: str
    precision: str
    runtime: str
    size_bytes: int
    load: Callable[[], Engine]
    judged: Callable[[], Engine] | None = None


def of_network(
    source: onnx.ModelProto, network: Network, fitted: Calibration | None, photographs: Photographs
) -> Iterator[Variant]:
    """Yield every variant that this machine can run; INT8 with fixed ranges only with a calibration.

    Args:
        source: The network as it was exported.
        network: The same, optimised and fused.
        fitted: What fixed INT8 ranges come from.
        photographs: What flows through it, to find what FP16 cannot hold.
    """
    exported = fuse.fuse(optimise.exported(source, network.recipe), network.recipe)
    yield _onnxruntime("FP32 as exported", "fp32", exported, lambda: Reference(exported, "report", as_is=True))
    yield _onnxruntime("FP32 optimised", "fp32", network.fused)
    served = TARGETS["cpu"]
    yield _openvino("FP32 optimised", "fp32", served.graph("fp32", network, fitted))
    overflowing = overflow.search(network.optimised, network.recipe, photographs)
    halved = fuse.fuse(half.to_half(network.optimised, overflowing), network.recipe)
    # ONNX Runtime computes it in FP32; the masks are those that FP16 gives where it is computed.
    yield dataclasses.replace(
        _onnxruntime("FP16", "fp16", halved), judged=lambda: Reference(half_rounding.emulate(halved), "report")
    )
    if not processor.lacking("bf16"):
        yield _openvino("BF16", "bf16", served.graph("bf16", network, fitted))
    if fitted is not None:
        static = quantise(network.fused, fitted.ranges, "uint8", fitted.excluded["uint8"])
        yield _onnxruntime("INT8 static", "int8", static)
        yield _openvino("INT8 static", "int8", served.graph("int8", network, fitted))
    yield _onnxruntime("INT8 dynamic", "int8", dynamic.quantise(network.fused))


def _onnxruntime(
    name: str, precision: str, graph: onnx.ModelProto, load: Callable[[], Engine] | None = None
) -> Variant:
    runtime = f"ONNX Runtime {metadata.version('onnxruntime')}"
    return Variant(name, precision, runtime, graph.ByteSize(), load or (lambda: Reference(graph, "report")))


def _openvino(name: str, precision: str, graph: onnx.ModelProto) -> Variant:
    runtime = f"OpenVINO {metadata.version('openvino')}"
    return Variant(name, precision, runtime, graph.ByteSize(), lambda: OpenVinoEngine(graph, precision))
