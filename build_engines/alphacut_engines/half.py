"""Half precision as types in the graph, which strongly typed builders follow."""

from __future__ import annotations

import warnings
from collections.abc import Collection

import onnx

from alphacut_core.errors import MissingLibraryError
from alphacut_engines.half_rounding import LARGEST


def to_half(network: onnx.ModelProto, blocked: Collection[str] = ()) -> onnx.ModelProto:
    """Return an optimised network that computes in FP16 between its FP32 input and output.

    The arithmetic before and after the network is fused later and so stays in FP32.

    Args:
        network: It stays as it is.
        blocked: Names of nodes that stay in FP32; ``overflow.search`` finds those that have to.

    Raises:
        MissingLibraryError: onnxconverter-common is not installed.
    """
    try:
        from onnxconverter_common import float16  # noqa: PLC0415
    except ImportError as error:
        raise MissingLibraryError(
            "FP16 needs onnxconverter-common; run pip install '.[rtx]' in Alphacut's checkout"
        ) from error
    # By default these stay in FP32 for ONNX Runtime's sake; TensorRT has them in FP16.
    operators = [operator for operator in float16.DEFAULT_OP_BLOCK_LIST if operator not in ("Resize", "Max")]
    with warnings.catch_warnings():
        # One warning a weight that FP16 cannot hold; whether that matters is the gate's question.
        warnings.simplefilter("ignore")
        half: onnx.ModelProto = float16.convert_float_to_float16(
            network,
            min_positive_val=0.0,
            max_finite_val=LARGEST,
            keep_io_types=True,
            op_block_list=operators,
            node_block_list=list(blocked),
        )
    _restore_scales(half, network)
    return half


def _restore_scales(half: onnx.ModelProto, network: onnx.ModelProto) -> None:
    """Give Resize its scales back, which the standard has in FP32 whatever is resized."""
    scales = {node.input[2] for node in half.graph.node if node.op_type == "Resize" and len(node.input) > 2}
    whole = {tensor.name: tensor for tensor in network.graph.initializer if tensor.name in scales}
    for tensor in half.graph.initializer:
        if tensor.name in whole:
            tensor.CopyFrom(whole[tensor.name])
