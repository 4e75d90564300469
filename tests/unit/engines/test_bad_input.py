"""Whatever is wrong with a network: one error with stage, file and remedy, and what is installed stays as it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from alphacut_core.errors import EngineError
from alphacut_engines import pipeline
from alphacut_engines.order import Order

Damage = Callable[[onnx.ModelProto, Path], None]


def truncated(model: onnx.ModelProto, path: Path) -> None:
    content = model.SerializeToString()
    path.write_bytes(content[: len(content) // 2])


def without_its_weights(model: onnx.ModelProto, path: Path) -> None:
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    path.with_name("weights.bin").unlink()


def with_two_inputs(model: onnx.ModelProto, path: Path) -> None:
    model.graph.input.append(helper.make_tensor_value_info("trimap", TensorProto.FLOAT, [1, 1, 16, 16]))
    path.write_bytes(model.SerializeToString())


def with_four_channels(model: onnx.ModelProto, path: Path) -> None:
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 4
    path.write_bytes(model.SerializeToString())


def of_opset(version: int) -> Damage:
    def save(model: onnx.ModelProto, path: Path) -> None:
        model.opset_import[0].version = version
        path.write_bytes(model.SerializeToString())

    return save


def with_another_domains_operator(model: onnx.ModelProto, path: Path) -> None:
    model.graph.node[1].domain = "com.example.fast"
    model.opset_import.append(helper.make_opsetid("com.example.fast", 1))
    path.write_bytes(model.SerializeToString())


def with_an_operator_that_nobody_has(model: onnx.ModelProto, path: Path) -> None:
    model.graph.node[1].op_type = "NoSuchOperator"
    path.write_bytes(model.SerializeToString())


def with_an_operator_that_openvino_lacks(model: onnx.ModelProto, path: Path) -> None:
    """The standard has determinants, and ONNX Runtime computes them."""
    graph = model.graph
    graph.node[0].output[0] = "plain"
    graph.initializer.append(numpy_helper.from_array(np.array([2, 3], np.int64), "axes"))
    graph.node.insert(1, helper.make_node("Det", ["plain"], ["determinant"]))
    graph.node.insert(2, helper.make_node("Unsqueeze", ["determinant", "axes"], ["square"]))
    graph.node.insert(3, helper.make_node("Add", ["plain", "square"], ["logits"]))
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (truncated, ("source", "download or export it again")),
        (without_its_weights, ("source", "put the external data beside it")),
        (with_two_inputs, ("source", "give a network with one input")),
        (with_four_channels, ("source", "needs float32 [batch, 1, 16, 16]")),
        (of_opset(8), ("source", "export it with an opset from 11 to 22, best 17")),
        (of_opset(99), ("source", "export it with an opset from 11 to 22, best 17")),
        (with_another_domains_operator, ("source", "export it with standard ONNX operators")),
        (with_an_operator_that_nobody_has, ("source", "export it again")),
        (with_an_operator_that_openvino_lacks, ("engine", "No conversion rule found for operations: Det-17")),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_it_is_refused_and_what_is_installed_stays(
    make_order: Callable[..., Order], make_network, tmp_path: Path, damage: Damage, told: tuple[str, str]
) -> None:
    stage, remedy = told
    order = make_order()
    pipeline.build(order, lambda step: None)
    before = {path: path.read_bytes() for path in order.repository.rglob("*") if path.is_file()}
    broken = tmp_path / "broken.onnx"
    damage(make_network(), broken)
    with pytest.raises(EngineError) as found:
        pipeline.build(dataclasses.replace(order, source=broken), lambda step: None)
    message = str(found.value)
    assert message.startswith(f"stage {stage}: ")
    assert str(broken) in message
    assert remedy in message
    assert {path: path.read_bytes() for path in order.repository.rglob("*") if path.is_file()} == before
