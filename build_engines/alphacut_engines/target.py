"""What an engine can be built for: its precisions, its graphs, who runs them for the gate, and its file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Literal

import onnx

from alphacut_core import cuda
from alphacut_engines import fuse, gpu, half, half_rounding, mixed, processor, sides, tensorrt_engine, tensorrt_module
from alphacut_engines.calibration import Calibration
from alphacut_engines.gate import Engine
from alphacut_engines.manifest import ENGINE_FILE, PLAN_FILE
from alphacut_engines.openvino_cpu import OpenVinoEngine, compile_options
from alphacut_engines.order import DEFAULT_LEVEL
from alphacut_engines.quantise import Activations, Ranges, quantise
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference
from alphacut_engines.tensorrt_plan import TensorRtEngine
from alphacut_engines.timing_cache import TimingCache

TRITON_PLAN_FILE = "model.plan"
LAYERS_FILE = "layers.json"
"""TensorRT's own account of its layers, types and kernels, which shows whether a precision was really applied."""


@dataclass(frozen=True, slots=True)
class Network:
    """One network in the forms that graphs are made from.

    Attributes:
        recipe: How it is used.
        optimised: The network alone, in FP32.
        fused: The same with the recipe's arithmetic around it.
        overflowing: Names of the nodes of ``optimised`` that FP16 cannot hold.
    """

    recipe: ModelRecipe
    optimised: onnx.ModelProto
    fused: onnx.ModelProto
    overflowing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One kind of machine.

    Attributes:
        rungs: Precisions, fastest first; the last one is FP32.
        automatic: The rung that ``auto`` starts from.
        activations: Type of quantised activations that its runtime takes.
        around_int8: What the rest of an INT8 graph is typed as.
        evidence: Name of the report beside the bundled weights that counts for its graphs.
        prepare: Raises what this machine lacks to build for it at all, before anything takes time.
        lacking: Says what this machine lacks for a precision, or None.
        rewrite: Makes of the fused graph one that its runtime computes faster, to the same values but for rounding.
        run: Loads a graph in a precision, for the gate.
        runs_here: Whether what ``run`` loads is the very engine, so that its speed means something.
        runtime: Who that is, for reports.
        compile_options: Returns what the serving runtime has to be told for a precision.
        file: Name of the engine.
        save: Makes the engine's bytes of a graph.
        beside: Makes of the engine's bytes what else is installed: file name to content.
        built_for: Returns what the engine depends on to be loaded, for the manifest.
    """

    rungs: tuple[str, ...]
    automatic: str
    activations: Activations
    around_int8: Literal["fp16", "fp32"]
    evidence: str
    prepare: Callable[[], None] = lambda: None
    lacking: Callable[[str], str | None] = lambda rung: None
    rewrite: Callable[[onnx.ModelProto], onnx.ModelProto] = lambda fused: fused
    run: Callable[[onnx.ModelProto, str], Engine]
    runs_here: bool = True
    runtime: Callable[[], str]
    compile_options: Callable[[str], Mapping[str, str]] = lambda rung: {}
    file: str
    save: Callable[[onnx.ModelProto, ModelRecipe], bytes]
    beside: Callable[[bytes], Mapping[str, bytes]] = lambda engine: {}
    built_for: Callable[[], Mapping[str, str]]

    def graph(self, rung: str, network: Network, fitted: Calibration | None) -> onnx.ModelProto:
        """Return the graph of one precision; INT8 needs a calibration."""
        if rung == "fp16":
            return fuse.fuse(half.to_half(network.optimised, network.overflowing), network.recipe)
        if rung == "fp32":  # the reference's masks, to the bit
            return network.fused
        if rung == "int8" and fitted is not None:
            return self._int8(network, fitted.ranges, fitted.excluded[self.activations])
        return self.rewrite(network.fused)

    def _int8(self, network: Network, ranges: Ranges, excluded: Collection[str]) -> onnx.ModelProto:
        if self.around_int8 == "fp16":
            typed = mixed.int8_in_half(
                network.optimised, ranges, self.activations, excluded, overflowing=network.overflowing
            )
            return fuse.fuse(typed, network.recipe)
        return quantise(self.rewrite(network.fused), ranges, self.activations, excluded)


def find(name: str, level: int = DEFAULT_LEVEL) -> Target:
    """Return the target called ``name``, for TensorRT at an optimisation level."""
    return _MAKERS[name](level)


def _cpu(level: int) -> Target:
    del level  # OpenVINO compiles when it loads
    return Target(
        rungs=("int8", "bf16", "fp32"),
        automatic="int8",
        activations="uint8",
        around_int8="fp32",  # OpenVINO computes it in BF16 where the processor has that
        evidence="cpu",
        lacking=processor.lacking,
        rewrite=sides.by_matrices,
        run=OpenVinoEngine,
        runtime=lambda: f"OpenVINO {metadata.version('openvino')}",
        compile_options=compile_options,
        file=ENGINE_FILE,
        save=lambda model, recipe: bytes(model.SerializeToString()),
        built_for=lambda: {"processor": processor.name()},
    )


def _tensorrt(level: int) -> Target:
    """Return the data-centre target: built, judged and served on one kind of GPU by one version of TensorRT."""

    def prepare() -> None:
        tensorrt_module.load()
        gpu.to_build_for()

    def run(model: onnx.ModelProto, rung: str) -> Engine:
        del rung  # the graph's types say it
        size = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
        plan = _plan(model.SerializeToString(), size, level)
        return TensorRtEngine(tensorrt_module.load(), plan, size, cuda.load())

    return Target(
        # Whether INT8 is faster, with FP16 between its convolutions, is seen in the report: auto does not assume it.
        rungs=("int8", "fp16", "fp32"),
        automatic="fp16",
        activations="int8",
        around_int8="fp16",
        # The graphs are TensorRT-RTX's. The plan itself is judged on the GPU: on the sample pictures at least.
        evidence="tensorrt_rtx",
        prepare=prepare,
        run=run,
        runtime=lambda: f"TensorRT {tensorrt_module.load().__version__} on {gpu.to_build_for().name}",
        file=TRITON_PLAN_FILE,
        save=lambda model, recipe: _plan(model.SerializeToString(), recipe.size, level),
        beside=lambda plan: {LAYERS_FILE: tensorrt_engine.layers(tensorrt_module.load(), plan).encode()},
        built_for=_tensorrt_machine,
    )


@cache
def _plan(graph: bytes, size: int, level: int) -> bytes:
    """Return the plan of a graph: the very one that the gate has judged, because TensorRT makes no two alike."""
    trt = tensorrt_module.load()
    timings = TimingCache.of(gpu.to_build_for(), trt.__version__)
    return tensorrt_engine.build(trt, onnx.ModelProto.FromString(graph), size, timings=timings, level=level)


def _tensorrt_machine() -> Mapping[str, str]:
    here = gpu.to_build_for()
    return {
        "tensorrt": tensorrt_module.load().__version__,
        "gpu": here.name,
        "compute_capability": here.compute_capability,
        "driver": here.driver,
    }


def _tensorrt_rtx(level: int) -> Target:
    """Return the target that needs no GPU to build for; what the gate judges is the graph, type for type the same."""

    def save(model: onnx.ModelProto, recipe: ModelRecipe) -> bytes:
        return tensorrt_engine.build(
            tensorrt_module.load_rtx(),
            model,
            recipe.size,
            capabilities=tensorrt_engine.COMPUTE_CAPABILITIES,
            level=level,
        )

    def prepare() -> None:
        tensorrt_module.load_rtx()

    return Target(
        rungs=("int8", "fp16", "fp32"),
        automatic="fp16",
        activations="int8",
        around_int8="fp16",
        evidence="tensorrt_rtx",
        prepare=prepare,
        run=lambda model, rung: Reference(model if rung == "fp32" else half_rounding.emulate(model), "gate"),
        runs_here=False,
        runtime=lambda: (
            f"ONNX Runtime {metadata.version('onnxruntime')}, which runs the engine's graph and rounds FP16"
        ),
        file=PLAN_FILE,
        save=save,
        built_for=lambda: {
            "tensorrt_rtx": tensorrt_module.load_rtx().__version__,
            "compute_capabilities": " ".join(tensorrt_engine.COMPUTE_CAPABILITIES),
        },
    )


_MAKERS: Mapping[str, Callable[[int], Target]] = {
    "cpu": _cpu,
    "tensorrt": _tensorrt,
    "tensorrt_rtx": _tensorrt_rtx,
}
TARGETS: Mapping[str, Target] = {name: find(name) for name in _MAKERS}
