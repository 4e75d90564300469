"""TensorRT engines from fused graphs: one strongly typed routine for TensorRT-RTX, ahead of time, on any CPU."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import onnx

from alphacut_core.contract import image_spec
from alphacut_core.errors import EngineBuildError, MissingLibraryError

BATCHES = (1, 8, 16)
"""Smallest, usual and largest batch; the largest is Triton's ``max_batch_size``."""

COMPUTE_CAPABILITIES = ("SM75", "SM80", "SM86", "SM89", "SM120")
"""Turing (T4), Ampere (A100; A10, RTX 30), Ada (L4, L40S, RTX 40), Blackwell (RTX 50). Hopper has no TensorRT-RTX."""


def load_rtx() -> Any:
    """Return TensorRT-RTX's Python module.

    Raises:
        MissingLibraryError: It is not installed.
    """
    try:
        return importlib.import_module("tensorrt_rtx_bindings")
    except ImportError as error:
        remedy = "run pip install '.[rtx]' in Alphacut's checkout on x86-64 Linux"
        raise MissingLibraryError(f"the target tensorrt_rtx needs TensorRT-RTX ({error}); {remedy}") from error


def build(trt: Any, model: onnx.ModelProto, size: int, capabilities: Sequence[str] = COMPUTE_CAPABILITIES) -> bytes:
    """Return a serialised engine that runs on GPUs of all given compute capabilities.

    The types are the graph's: no precision is chosen here, and none is changed behind the gate's back.

    Args:
        trt: TensorRT-RTX's module.
        model: The graph of the wire contract.
        size: Side of its square input in pixels.
        capabilities: Names in ``trt.ComputeCapability``.

    Raises:
        EngineBuildError: The graph is not taken, with what TensorRT said.
    """
    log = _log(trt)
    builder = trt.Builder(log)
    network = parse(trt, builder, model, log)
    config = builder.create_builder_config()
    # TF32 would round what the graph calls FP32 to half precision's mantissa.
    config.clear_flag(trt.BuilderFlag.TF32)
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    profile = builder.create_optimization_profile()
    profile.set_shape(image_spec(size).name, *((batch, size, size, 3) for batch in BATCHES))
    config.add_optimization_profile(profile)
    config.num_compute_capabilities = len(capabilities)
    for i, name in enumerate(capabilities):
        if not config.set_compute_capability(_capability(trt, name), i):
            raise EngineBuildError(f"stage engine: this TensorRT-RTX does not build for {name}; leave it out")
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise EngineBuildError(f"stage engine: TensorRT-RTX {trt.__version__} refuses the network: {log.last()}")
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


def _capability(trt: Any, name: str) -> Any:
    known = trt.ComputeCapability.__members__
    if name not in known:
        raise EngineBuildError(f"got compute capability {name!r}; this TensorRT-RTX knows {', '.join(known)}")
    return known[name]


def _log(trt: Any) -> Any:
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
