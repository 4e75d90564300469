from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from alphacut_core.errors import InvalidOptionError
from alphacut_training import checkpoint, export
from alphacut_training.network import ARCHITECTURES, FULL, SMALL, Architecture, U2Net, architecture
from alphacut_training.prune import multiply_adds, parameters

from .conftest import BUNDLED


@pytest.mark.parametrize(("shape", "expected"), [(FULL, 44_009_869), (SMALL, 1_131_181)])
def test_networks_have_as_many_parameters_as_the_paper_says(shape: Architecture, expected: int) -> None:
    assert parameters(U2Net(shape)) == expected


@pytest.mark.parametrize(("shape", "expected"), [(FULL, 58.5), (SMALL, 19.75)])
def test_networks_cost_as_many_multiply_adds_as_published(shape: Architecture, expected: float) -> None:
    assert multiply_adds(U2Net(shape), 320) / 1e9 == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("shape", ARCHITECTURES.values(), ids=str)
def test_tensors_bear_the_names_of_the_authors_checkpoints(shape: Architecture) -> None:
    names = set(U2Net(shape).state_dict())
    assert len(names) == 798  # 112 convolutions with normalisation, 7 without
    assert {
        "stage1.rebnconvin.conv_s1.weight",
        "stage1.rebnconv7.bn_s1.running_mean",
        "stage1.rebnconv6d.conv_s1.bias",
        "stage2.rebnconv6.bn_s1.num_batches_tracked",
        "stage4.rebnconv1d.conv_s1.weight",
        "stage5.rebnconv4.conv_s1.weight",
        "stage5d.rebnconv3d.bn_s1.running_var",
        "stage1d.rebnconv7.conv_s1.weight",
        "side6.bias",
        "outconv.weight",
    } <= names
    assert not [name for name in names if "stage5.rebnconv5" in name or "stage1.rebnconv7d" in name]


def test_maps_have_the_pictures_size_even_where_it_is_odd() -> None:
    maps = U2Net(SMALL).eval()(torch.zeros(1, 3, 75, 101))
    assert [tuple(one.shape) for one in maps] == [(1, 1, 75, 101)] * 7


@pytest.mark.parametrize("batch", [1, 5])
def test_the_bundled_weights_give_what_onnx_runtime_gives(batch: int) -> None:
    image = np.random.default_rng(batch).normal(size=(batch, 3, 320, 320)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(BUNDLED), providers=["CPUExecutionProvider"])
    expected = [session.run(None, {"input": one[None]}) for one in image]
    with torch.inference_mode():
        maps = checkpoint.load(BUNDLED)(torch.from_numpy(image))
    for number, logits in enumerate(maps):
        theirs = np.concatenate([one[number] for one in expected])
        np.testing.assert_allclose(torch.sigmoid(logits).numpy(), theirs, atol=2e-5)


@pytest.mark.parametrize("batch", [1, 5])
def test_an_exported_network_gives_what_it_gave(tmp_path: Path, batch: int) -> None:
    torch.manual_seed(0)
    network = U2Net(SMALL).eval()
    export.export(network, tmp_path / "net.onnx", size=96)
    image = torch.randn(batch, 3, 96, 96)
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    got = session.run(None, {"input": image.numpy()})
    with torch.inference_mode():
        expected = network(image)
    assert len(got) == 7
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, torch.sigmoid(theirs).numpy(), atol=2e-5)


def test_an_unknown_architecture_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidOptionError, match="u2net, u2netp"):
        architecture("u3net")
