"""INT8 in the form that each runtime takes, close to FP32, and refused when it is another network's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from alphacut_core.errors import EngineBuildError
from alphacut_engines import calibration, fuse, photographs
from alphacut_engines.openvino_cpu import OpenVinoEngine
from alphacut_engines.quantise import Activations, quantise
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference


@pytest.fixture
def fused(make_network, recipe: ModelRecipe) -> onnx.ModelProto:
    return fuse.fuse(make_network(), recipe)


@pytest.fixture
def ranges(fused: onnx.ModelProto, pictures: photographs.Photographs) -> dict[str, tuple[float, float]]:
    return {name: seen.range("max") for name, seen in calibration.collect(fused, pictures).items()}


def zero_points(model: onnx.ModelProto) -> list[np.ndarray]:
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    quantised = [node for node in model.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    return [weights[node.input[2]] for node in quantised]


def test_tensorrts_form_is_symmetric_int8_without_a_quantised_bias(fused: onnx.ModelProto, ranges) -> None:
    points = zero_points(quantise(fused, ranges, "int8"))
    assert points
    assert all(point.dtype == np.int8 and not point.any() for point in points)


def test_weights_have_a_scale_per_output_channel(fused: onnx.ModelProto, ranges) -> None:
    model = quantise(fused, ranges, "int8")
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    (dequantise,) = (node for node in model.graph.node if node.input[0] in weights and node.op_type[0] == "D")
    assert weights[dequantise.input[0]].data_type == TensorProto.INT8
    assert list(weights[dequantise.input[1]].dims) == [1], "one scale, because the network has one output channel"


@pytest.mark.parametrize("activations", ["int8", "uint8"])
def test_masks_stay_close_to_fp32_in_both_runtimes(
    fused: onnx.ModelProto, ranges, pictures: photographs.Photographs, activations: Activations
) -> None:
    model = quantise(fused, ranges, activations)
    squares = np.stack([square for _, square in pictures])
    wanted, _ = Reference(fused, "test").masks(squares)
    engines = [Reference(model, "test")]
    if activations == "uint8":
        engines.append(OpenVinoEngine(model, "int8"))
    for engine in engines:
        masks, _ = engine.masks(squares)
        assert np.abs(masks.astype(int) - wanted).mean() < 3


def test_an_excluded_convolution_stays_as_it_is(fused: onnx.ModelProto, ranges) -> None:
    (convolution,) = (node for node in fused.graph.node if node.op_type == "Conv")
    assert not zero_points(quantise(fused, ranges, "int8", [convolution.name]))


def test_the_fp32_graph_stays_the_callers(fused: onnx.ModelProto, ranges) -> None:
    before = fused.SerializeToString(deterministic=True)
    quantise(fused, ranges, "int8")
    assert fused.SerializeToString(deterministic=True) == before


def test_another_networks_ranges_are_refused(fused: onnx.ModelProto) -> None:
    with pytest.raises(EngineBuildError, match=r"no range for 1 tensors.*pass --calibration DIR"):
        quantise(fused, {"elsewhere": (0.0, 1.0)}, "uint8")


def test_a_calibration_is_read_back_as_it_was_written(
    fused: onnx.ModelProto, pictures: photographs.Photographs, tmp_path: Path
) -> None:
    made = calibration.calibrate(fused, pictures, "the source's checksum")
    path = tmp_path / "calibration.json"
    path.write_text(made.to_json())
    assert calibration.read(path) == made
    assert set(made.trials) == {"max", "percentile", "entropy", "least_squares"}
    assert made.trials[made.method] == min(made.trials.values())


def test_only_the_activations_that_were_asked_for_are_searched(
    fused: onnx.ModelProto, pictures: photographs.Photographs
) -> None:
    assert set(calibration.calibrate(fused, pictures, "", ("uint8",)).excluded) == {"uint8"}
    assert set(calibration.calibrate(fused, pictures, "").excluded) == {"uint8", "int8"}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"ranges": {"a": 1}}'])
def test_what_is_no_calibration_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(content)
    with pytest.raises(EngineBuildError, match="is no calibration"):
        calibration.read(path)
