"""INT8 convolutions in an FP16 network: typed as meant, close to FP32, and whole where FP16 ends."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from alphacut_core.agreement import BOUNDS
from alphacut_engines import calibration, fuse, mixed, overflow
from alphacut_engines.photographs import Photographs
from alphacut_engines.recipe import ModelRecipe

from .conftest import MakeNetwork, difference_in_half

pytest.importorskip("onnxconverter_common", reason="FP16 needs onnxconverter-common; run pip install '.[rtx]'")

HELD, BEYOND = 1.0, 1e5


class Case:
    """A network and its ranges."""

    def __init__(self, plain: onnx.ModelProto, recipe: ModelRecipe, pictures: Photographs) -> None:
        seen = calibration.collect(fuse.fuse(plain, recipe), pictures)
        self.plain, self.ranges = plain, {name: values.range("max") for name, values in seen.items()}
        self._recipe, self._pictures = recipe, pictures

    def typed(self, excluded: Collection[str] = (), overflowing: Collection[str] = ()) -> onnx.ModelProto:
        return mixed.int8_in_half(self.plain, self.ranges, "int8", excluded, overflowing)

    def difference(self, typed: onnx.ModelProto) -> float:
        return difference_in_half(typed, self.plain, self._recipe, self._pictures)


MakeCase = Callable[[float], Case]


@pytest.fixture
def make_case(make_enlarging: MakeNetwork, recipe: ModelRecipe, pictures: Photographs) -> MakeCase:
    return lambda gain: Case(make_enlarging(gain), recipe, pictures)


def kinds_into(typed: onnx.ModelProto, name: str) -> set[int]:
    """The types of what goes into a convolution of the network."""
    inferred = onnx.shape_inference.infer_shapes(typed).graph
    types = {value.name: value.type.tensor_type.elem_type for value in inferred.value_info}
    (node,) = (node for node in typed.graph.node if node.name == name)
    return {types[tensor] for tensor in node.input}


def steps(typed: onnx.ModelProto) -> int:
    return sum(node.op_type == "QuantizeLinear" for node in typed.graph.node)


def test_every_convolution_takes_int8_and_writes_fp16(make_case: MakeCase) -> None:
    case = make_case(HELD)
    typed = case.typed()
    assert steps(typed) == 3
    assert {kind for name in ("enlarge", "shrink", "last") for kind in kinds_into(typed, name)} == {TensorProto.FLOAT16}
    kinds = {tensor.data_type for tensor in typed.graph.initializer}
    assert kinds == {TensorProto.FLOAT16, TensorProto.INT8}, "scales as well, or TensorRT would go by way of FP32"
    assert case.difference(typed) < BOUNDS["int8"].mean_difference


def test_a_convolution_that_is_left_out_is_fp16(make_case: MakeCase) -> None:
    typed = make_case(HELD).typed(excluded=[f"{fuse.NETWORK}shrink"])
    assert steps(typed) == 2


def test_the_fp32_network_stays_the_callers(make_case: MakeCase) -> None:
    case = make_case(HELD)
    before = case.plain.SerializeToString(deterministic=True)
    case.typed()
    assert case.plain.SerializeToString(deterministic=True) == before


def test_channels_of_tiny_weights_keep_steps_that_tensorrt_takes(make_case: MakeCase) -> None:
    case = make_case(HELD)
    kernel = next(tensor for tensor in case.plain.graph.initializer if tensor.name == "k1")
    exact = numpy_helper.to_array(kernel) * np.float32([1, 1e-3, 1e-5, 1e-7]).reshape(4, 1, 1, 1)
    kernel.CopyFrom(numpy_helper.from_array(exact, kernel.name))
    weights = [numpy_helper.to_array(tensor) for tensor in case.typed().graph.initializer]
    (fine,) = (value for value in weights if value.shape == (4,) and value.dtype == np.float16 and value[3] < 1e-6)
    (whole,) = (value for value in weights if value.shape == exact.shape and value.dtype == np.int8)
    assert fine.min() > 0, "a step of nothing is refused by TensorRT's parser"
    off = np.abs(whole * fine.astype(np.float64).reshape(4, 1, 1, 1) - exact)
    assert (off.max(axis=(1, 2, 3)) <= fine).all()


def test_int8_of_values_beyond_fp16_has_its_steps_in_fp32(
    make_case: MakeCase, recipe: ModelRecipe, pictures: Photographs
) -> None:
    case = make_case(BEYOND)
    assert case.difference(case.typed()) > BOUNDS["int8"].mean_difference
    overflowing = overflow.search(case.plain, recipe, pictures)
    assert overflowing == ["enlarge", "rectify", "shrink"]
    typed = case.typed(overflowing=overflowing)
    assert steps(typed) == 3
    assert kinds_into(typed, "shrink") == {TensorProto.FLOAT}
    assert kinds_into(typed, "last") == {TensorProto.FLOAT16}
    assert case.difference(typed) < BOUNDS["int8"].mean_difference
