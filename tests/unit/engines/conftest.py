"""Small real networks, so that most tests of the builder take milliseconds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from alphacut_core import installed
from alphacut_core.installed import Installed
from alphacut_engines import fuse, gate, half_rounding, photographs
from alphacut_engines.order import Order
from alphacut_engines.photographs import Photographs
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference
from alphacut_engines.registry import BUNDLED

SIZE = 16

MakeNetwork = Callable[..., onnx.ModelProto]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep finished stages apart: each test makes its own, and none touches the user's."""
    monkeypatch.setenv("ALPHACUT_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def bundled(bundled_graphs: tuple[onnx.ModelProto, onnx.ModelProto]) -> onnx.ModelProto:
    """The bundled network, optimised; nobody may change it."""
    return bundled_graphs[0]


@pytest.fixture
def make_network() -> MakeNetwork:
    """A factory of one-convolution networks: float32 [batch, 3, S, S] to [batch, channels, S, S]."""

    def make(
        *,
        batch: int | str = "batch",
        size: int = SIZE,
        weight: float = 1.0,
        bias: float = 0.0,
        outputs: int = 1,
        opset: int = 17,
        sigmoid: bool = True,
        channels: int = 1,
    ) -> onnx.ModelProto:
        # Uneven weights: a mix-up of channels or of rows and columns shows.
        kernel = np.linspace(-0.5, 1.0, 27, dtype=np.float32).reshape(1, 3, 3, 3) * weight
        kernel = np.concatenate([np.roll(kernel, i, axis=1) for i in range(channels)])
        last = "Sigmoid" if sigmoid else "Identity"
        nodes = [helper.make_node("Conv", ["input", "kernel", "bias"], ["logits"], pads=[1, 1, 1, 1])]
        nodes += [helper.make_node(last, ["logits"], [f"d{i}"]) for i in range(outputs)]
        graph = helper.make_graph(
            nodes,
            "network",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, size, size])],
            [
                helper.make_tensor_value_info(f"d{i}", TensorProto.FLOAT, [batch, channels, size, size])
                for i in range(outputs)
            ],
            [
                numpy_helper.from_array(kernel, "kernel"),
                numpy_helper.from_array(np.full(channels, bias, np.float32), "bias"),
            ],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)

    return make


@pytest.fixture
def make_enlarging() -> MakeNetwork:
    """A factory of three convolutions; what the first writes is about ``gain``, and the second makes it small again."""

    def make(gain: float) -> onnx.ModelProto:
        rng = np.random.default_rng(0)
        kernels = [
            rng.normal(0.1, 0.3, shape).astype(np.float32) for shape in ((4, 3, 3, 3), (4, 4, 3, 3), (1, 4, 3, 3))
        ]
        kernels[0] *= gain
        kernels[1] /= gain
        nodes = [
            helper.make_node("Conv", ["input", "k0"], ["large"], "enlarge", pads=[1] * 4),
            helper.make_node("Relu", ["large"], ["positive"], "rectify"),
            helper.make_node("Conv", ["positive", "k1"], ["small"], "shrink", pads=[1] * 4),
            helper.make_node("Conv", ["small", "k2"], ["logits"], "last", pads=[1] * 4),
            helper.make_node("Sigmoid", ["logits"], ["map"], "squash"),
        ]
        shape = ["batch", 3, SIZE, SIZE]
        graph = helper.make_graph(
            nodes,
            "network",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("map", TensorProto.FLOAT, ["batch", 1, *shape[2:]])],
            [numpy_helper.from_array(kernel, f"k{i}") for i, kernel in enumerate(kernels)],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    return make


@pytest.fixture
def recipe() -> ModelRecipe:
    """How the small networks are used."""
    return dataclasses.replace(BUNDLED, name="small", engine="small", size=SIZE)


@pytest.fixture
def make_photographs(tmp_path: Path) -> Callable[[str, int], Path]:
    """A factory of folders with small, smooth, coloured pictures."""

    def make(name: str, n: int) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        rng = np.random.default_rng(len(name))
        for i in range(n):
            coarse = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
            coarse.resize((24, 20), Image.Resampling.BICUBIC).save(folder / f"{i:03}.png")
        return folder

    return make


@pytest.fixture
def pictures(make_photographs, recipe: ModelRecipe) -> Photographs:
    """Eight small pictures to fit and to judge by."""
    return photographs.of_folder(make_photographs("pictures", 8), recipe.size, at_least=8)


def difference_in_half(
    model: onnx.ModelProto, wanted: onnx.ModelProto, recipe: ModelRecipe, pictures: Photographs
) -> float:
    """Mean |Δ| of masks where FP16 is computed in FP16."""
    masks = gate.answers(Reference(fuse.fuse(wanted, recipe), "test"), pictures)
    return gate.measure(
        Reference(half_rounding.emulate(fuse.fuse(model, recipe)), "test"), pictures, masks
    ).agreement.mean_difference


@pytest.fixture
def make_order(make_network: MakeNetwork, recipe: ModelRecipe, tmp_path: Path) -> Callable[..., Order]:
    """A factory of orders for a small network."""

    def make(**changes: object) -> Order:
        source = tmp_path / "network.onnx"
        source.write_bytes(make_network().SerializeToString())
        order = Order(
            recipe=recipe,
            tier="full",
            native_size=SIZE,
            source=source,
            repository=tmp_path / "model_repository",
            target="cpu",
            precision="fp32",
            gate=None,
            calibration=None,
            force=False,
        )
        return dataclasses.replace(order, **changes)

    return make


@pytest.fixture
def serving() -> Callable[[Order], Installed]:
    """Returns what an order's engine serves."""

    def find(order: Order) -> Installed:
        found = installed.find(order.repository, order.engine, order.target)
        assert found is not None
        return found

    return find


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[onnx.ModelProto], Path]:
    """Writes a network to a file."""

    def save(model: onnx.ModelProto) -> Path:
        path = tmp_path / "network.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return save
