"""What an engine can be built for: its precisions, its graphs, who runs them for the gate, and its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata

import onnx

from alphacut_engines import fuse, half, processor, tensorrt_engine
from alphacut_engines.calibration import Calibration
from alphacut_engines.gate import Engine
from alphacut_engines.manifest import ENGINE_FILE, PLAN_FILE
from alphacut_engines.openvino_cpu import COMPILE_OPTIONS, OpenVinoEngine
from alphacut_engines.quantise import Activations, quantise
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference


@dataclass(frozen=True, slots=True)
class Network:
    """One network in the forms that graphs are made from."""

    recipe: ModelRecipe
    optimised: onnx.ModelProto
    fused: onnx.ModelProto


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One kind of machine.

    Attributes:
        rungs: Precisions, fastest first; the last one is FP32.
        automatic: The rung that ``auto`` starts from.
        activations: Type of quantised activations that its runtime takes.
        lacking: Says what this machine lacks for a precision, or None.
        run: Loads a graph in a precision, for the gate.
        runtime: Who that is, for reports.
        compile_options: Precision to what the serving runtime has to be told.
        file: Name of the engine.
        save: Makes the engine's bytes of a graph.
    """

    rungs: tuple[str, ...]
    automatic: str
    activations: Activations
    lacking: Callable[[str], str | None]
    run: Callable[[onnx.ModelProto, str], Engine]
    runtime: Callable[[], str]
    compile_options: Mapping[str, Mapping[str, str]]
    file: str
    save: Callable[[onnx.ModelProto, ModelRecipe], bytes]

    def graph(self, rung: str, network: Network, fitted: Calibration | None) -> onnx.ModelProto:
        """Return the graph of one precision; INT8 needs a calibration."""
        if rung == "fp16":
            return fuse.fuse(half.to_half(network.optimised), network.recipe)
        if rung == "int8" and fitted is not None:
            return quantise(network.fused, fitted.ranges, self.activations, fitted.excluded[self.activations])
        return network.fused


CPU = Target(
    rungs=("int8", "bf16", "fp32"),
    automatic="int8",
    activations="uint8",
    lacking=processor.lacking,
    run=OpenVinoEngine,
    runtime=lambda: f"OpenVINO {metadata.version('openvino')}",
    compile_options=COMPILE_OPTIONS,
    file=ENGINE_FILE,
    save=lambda model, recipe: bytes(model.SerializeToString()),
)

# The engine itself runs on a GPU only; what the gate judges here is its graph, type for type the same.
# INT8 keeps FP32 between its convolutions, so only a GPU can tell whether it is faster: auto does not assume it.
TENSORRT_RTX = Target(
    rungs=("int8", "fp16", "fp32"),
    automatic="fp16",
    activations="int8",
    lacking=lambda rung: None,
    run=lambda model, rung: Reference(model, "gate"),
    runtime=lambda: f"ONNX Runtime {metadata.version('onnxruntime')}, which runs the engine's graph",
    compile_options={rung: {} for rung in ("int8", "fp16", "fp32")},
    file=PLAN_FILE,
    save=lambda model, recipe: tensorrt_engine.build(tensorrt_engine.load_rtx(), model, recipe.size),
)

TARGETS: Mapping[str, Target] = {"cpu": CPU, "tensorrt_rtx": TENSORRT_RTX}
