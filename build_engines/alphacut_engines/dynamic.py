"""Dynamic INT8, which every tutorial quotes: for comparison, never installed."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic


def quantise(fused: onnx.ModelProto) -> onnx.ModelProto:
    """Return ``fused`` with INT8 weights and activations whose ranges are measured anew on every picture.

    Weights are uint8: with int8 ones ONNX Runtime was three times slower and no closer to FP32.

    Args:
        fused: The FP32 graph of the wire contract; it stays as it is.
    """
    model = onnx.ModelProto()
    model.CopyFrom(fused)
    # The quantiser advises on the root logger to preprocess, which the stage optimise has done.
    logging.getLogger().addFilter(_no_advice)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "dynamic.onnx")
            quantize_dynamic(model, path, weight_type=QuantType.QUInt8, op_types_to_quantize=["Conv"])
            quantised: onnx.ModelProto = onnx.load(path)
    finally:
        logging.getLogger().removeFilter(_no_advice)
    return quantised


def _no_advice(record: logging.LogRecord) -> bool:
    return "pre-processing" not in record.getMessage()
