"""Stage quantise: static INT8 as QuantizeLinear and DequantizeLinear around convolutions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from alphacut_core.errors import EngineBuildError

Ranges = Mapping[str, tuple[float, float]]

Activations = Literal["uint8", "int8"]
"""TensorRT takes symmetric int8 only. OpenVINO gets uint8 with a zero point: twice the steps for what a ReLU lets
through, and OpenVINO 2026.4 computes int8 activations wrongly on processors with VNNI but without AMX (mean |Δ| 12
of 255 where ONNX Runtime has 0.6 for the very same graph)."""


def convolutions(fused: onnx.ModelProto) -> list[onnx.NodeProto]:
    """Return the nodes that can be quantised, in order."""
    return [node for node in fused.graph.node if node.op_type == "Conv"]


def quantise(
    fused: onnx.ModelProto, ranges: Ranges, activations: Activations, excluded: Collection[str] = ()
) -> onnx.ModelProto:
    """Return ``fused`` with INT8 convolutions.

    Weights are symmetric int8, one scale per output channel; biases stay as they are, which TensorRT asks for.

    Args:
        fused: The FP32 graph of the wire contract; it stays as it is.
        ranges: Lowest and highest value of each convolution's input tensor.
        activations: Type of the quantised inputs.
        excluded: Names of convolutions that stay as they are.

    Raises:
        EngineBuildError: A range is missing: these are another network's.
    """
    missing = {node.input[0] for node in convolutions(fused) if node.name not in excluded} - set(ranges)
    if missing:
        raise EngineBuildError(
            f"stage quantise: the calibration has no range for {len(missing)} tensors, {min(missing)!r} for one; "
            "it is another network's; pass --calibration DIR to make this one's"
        )
    model = onnx.ModelProto()
    model.CopyFrom(fused)
    span = {name: (np.float32(low), np.float32(high)) for name, (low, high) in ranges.items()}
    quantizer = QDQQuantizer(
        model,
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QInt8 if activations == "int8" else QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, span),
        nodes_to_quantize=[],
        nodes_to_exclude=list(excluded),
        op_types_to_quantize=["Conv"],
        extra_options={
            "ActivationSymmetric": activations == "int8",
            "WeightSymmetric": True,
            "QuantizeBias": False,
            # A convolution's output goes through a ReLU first; rounding before that costs twice.
            "OpTypesToExcludeOutputQuantization": ["Conv"],
        },
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    quantised: onnx.ModelProto = quantizer.model.model
    return quantised
