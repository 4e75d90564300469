"""TensorRT engines from fused graphs: one strongly typed routine for TensorRT and TensorRT-RTX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx

from alphacut_core.contract import image_spec
from alphacut_core.errors import EngineBuildError
from alphacut_engines.order import DEFAULT_LEVEL
from alphacut_engines.timing_cache import TimingCache

BATCHES = (1, 8, 16)
"""Smallest, usual and largest batch; the largest is Triton's ``max_batch_size``."""

COMPUTE_CAPABILITIES = ("SM75", "SM80", "SM86", "SM89", "SM120")
"""What TensorRT-RTX builds for: Turing (T4), Ampere (A100; A10, RTX 30), Ada (L4, L40S, RTX 40), Blackwell (RTX 50).
Hopper has no TensorRT-RTX."""


def build(
    trt: Any,
    model: onnx.ModelProto,
    size: int,
    *,
    capabilities: Sequence[str] = (),
    timings: TimingCache | None = None,
    level: int = DEFAULT_LEVEL,
    batches: tuple[int, int, int] = BATCHES,
) -> bytes:
    """Return a serialised engine.

    The types are the graph's: no precision is chosen here, and none is changed behind the gate's back.

    Args:
        trt: The module of TensorRT (10.4 to 11.x) or TensorRT-RTX.
        model: The graph of the wire contract.
        size: Side of its square input in pixels.
        capabilities: For TensorRT-RTX, names in ``trt.ComputeCapability`` to build for without a GPU; TensorRT
            builds for the GPU at hand.
        timings: Where TensorRT keeps what it has timed; TensorRT-RTX times nothing here.
        level: Optimisation level, 0 to 5.
        batches: Smallest, usual and largest.

    Raises:
        EngineBuildError: The graph is not taken, with what TensorRT said.
    """
    log = make_log(trt)
    builder = trt.Builder(log)
    if builder is None:
        raise EngineBuildError(f"stage engine: TensorRT {trt.__version__} does not start: {log.last()}")
    network = parse(trt, builder, model, log)
    config = builder.create_builder_config()
    config.builder_optimization_level = level
    # TF32 would round what the graph calls FP32 to half precision's mantissa.
    config.clear_flag(trt.BuilderFlag.TF32)
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    profile = builder.create_optimization_profile()
    profile.set_shape(image_spec(size).name, *((batch, size, size, 3) for batch in batches))
    config.add_optimization_profile(profile)
    if capabilities:
        _aim(trt, config, capabilities)
    if timings is not None:
        _remember(config, timings)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise EngineBuildError(f"stage engine: TensorRT {trt.__version__} refuses the network: {log.last()}")
    if timings is not None:
        timings.write(bytes(config.get_timing_cache().serialize()))
    return bytes(plan)


def parse(trt: Any, builder: Any, model: onnx.ModelProto, log: Any) -> Any:
    """Return TensorRT's network of a graph, strongly typed.

    Raises:
        EngineBuildError: An operator or a type is not taken.
    """
    # Set although newer versions have nothing else: older ones choose precisions by themselves without it.
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(model.SerializeToString()):
        errors = (parser.get_error(i) for i in range(parser.num_errors))
        said = "; ".join(f"{error.node_operator()} {error.node_name()!r}: {error.desc()}" for error in errors)
        raise EngineBuildError(f"stage engine: TensorRT's parser refuses the graph ({said}); export it with opset 17")
    return network


def layers(trt: Any, plan: bytes) -> str:
    """Return TensorRT's own account of an engine's layers, their types and kernels, as JSON. Needs the GPU.

    Raises:
        EngineBuildError: The engine cannot be loaded here.
    """
    log = make_log(trt)
    engine = trt.Runtime(log).deserialize_cuda_engine(plan)
    if engine is None:
        raise EngineBuildError(f"stage engine: the plan that was just built does not load: {log.last()}")
    account: str = engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON)
    return account


def make_log(trt: Any) -> Any:
    """Return a logger that keeps warnings and errors for our own errors, instead of printing them."""

    class Log(trt.ILogger):  # type: ignore[misc]  # the base class comes with the module
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.lines: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity <= trt.ILogger.Severity.WARNING:
                self.lines.append(message)

        def last(self) -> str:
            return " / ".join(self.lines[-3:]) or "it gave no reason"

    return Log()


def _aim(trt: Any, config: Any, capabilities: Sequence[str]) -> None:
    """Let TensorRT-RTX build for GPUs that are not here."""
    config.num_compute_capabilities = len(capabilities)
    for i, name in enumerate(capabilities):
        known = trt.ComputeCapability.__members__
        if name not in known:
            raise EngineBuildError(f"got compute capability {name!r}; this TensorRT-RTX knows {', '.join(known)}")
        if not config.set_compute_capability(known[name], i):
            raise EngineBuildError(f"stage engine: this TensorRT-RTX does not build for {name}; leave it out")


def _remember(config: Any, timings: TimingCache) -> None:
    """Give the builder what it has timed before; what it cannot use, damaged or another version's, it times anew."""
    for content in (timings.read(), b""):
        cache = config.create_timing_cache(content)
        if cache is not None and config.set_timing_cache(cache, ignore_mismatch=False):
            return
