"""INT8 convolutions in an FP16 network, as GPUs compute fastest: their tensor cores take both, and FP32 not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from alphacut_engines import half
from alphacut_engines.flow import Flow
from alphacut_engines.fuse import NETWORK
from alphacut_engines.optimise import at_least_opset
from alphacut_engines.quantise import Activations, Ranges, quantise

_OPSET = 19
"""From here on QuantizeLinear and DequantizeLinear take FP16."""

_STEPS = ("DequantizeLinear", "QuantizeLinear")


def int8_in_half(
    network: onnx.ModelProto,
    ranges: Ranges,
    activations: Activations,
    excluded: Collection[str] = (),
    overflowing: Collection[str] = (),
) -> onnx.ModelProto:
    """Return an optimised network with INT8 convolutions and everything else in FP16, between its FP32 ends.

    Args:
        network: Not fused yet; it stays as it is.
        ranges: Lowest and highest value of each convolution's input tensor, by its name in the fused graph.
        activations: Type of the quantised inputs.
        excluded: Names in the fused graph of convolutions that stay in FP16.
        overflowing: Names of nodes that FP16 cannot hold; around their INT8 is FP32.

    Raises:
        EngineBuildError: A range is missing: these are another network's.
        MissingLibraryError: onnxconverter-common is not installed.
    """
    quantised = quantise(
        at_least_opset(network, _OPSET),
        {name.removeprefix(NETWORK): span for name, span in ranges.items()},
        activations,
        [name.removeprefix(NETWORK) for name in excluded],
    )
    _widen_steps(quantised.graph)
    return half.to_half(quantised, [*overflowing, *_steps_before(quantised, overflowing)])


def _widen_steps(graph: onnx.GraphProto) -> None:
    """Make every step the next one that FP16 holds, and round the weights to those.

    Tiny weights have steps that FP16 rounds by half of them, or to nothing, which TensorRT refuses.
    """
    weights = Flow(graph).weights
    for node in graph.node:
        if node.op_type == "DequantizeLinear":  # the step of the QuantizeLinear before it, if any, is the same one
            step, values = weights[node.input[1]], weights.get(node.input[0])
            exact = numpy_helper.to_array(step)
            held = _at_least(exact)
            step.CopyFrom(numpy_helper.from_array(held, step.name))
            if values is not None:
                whole = numpy_helper.to_array(values)
                by_channel = (exact / held).reshape(-1, *[1] * (whole.ndim - 1))
                values.CopyFrom(numpy_helper.from_array(np.rint(whole * by_channel).astype(np.int8), values.name))


def _at_least(exact: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the smallest numbers of FP16 that are not below these; what is beyond all of them stays."""
    with np.errstate(over="ignore"):  # becomes infinite, and then stays as it is
        near = exact.astype(np.float16)
        held = np.where(near < exact, np.nextafter(near, np.float16(np.inf)), near)
    return np.where(np.isinf(held), exact, held).astype(np.float32)


def _steps_before(quantised: onnx.ModelProto, names: Collection[str]) -> Iterator[str]:
    """Yield what quantises for the nodes called ``names``: a step of a range that FP16 lacks does not fit into it."""
    flow = Flow(quantised.graph)
    tensors = [name for node in quantised.graph.node if node.name in names for name in node.input]
    while tensors:
        node = flow.maker(tensors.pop())
        if node is not None and node.op_type in _STEPS:
            yield node.name
            tensors.append(node.input[0])
