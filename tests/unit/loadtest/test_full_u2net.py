"""Full U²-Net widened from the bundled network does its masks, and all of the work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from alphacut_core import bundled
from alphacut_loadtest.bench import full_u2net, own_build

PARAMETERS = 44_009_869  # of the published network, with batch normalisation in its convolutions: 43,990,000 and some


@pytest.fixture(scope="module")
def small() -> onnx.ModelProto:
    return onnx.load(bundled.NETWORK)


def maps(network: onnx.ModelProto, picture: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: picture})


def test_it_gives_the_small_networks_maps_with_all_of_the_large_ones_weights(small: onnx.ModelProto) -> None:
    full = full_u2net.widen(small)
    weights = sum(int(np.prod(tensor.dims)) for tensor in full.graph.initializer if len(tensor.dims) == 4)
    assert weights == pytest.approx(PARAMETERS, rel=0.001)
    picture = np.random.default_rng(0).normal(size=(1, 3, 320, 320)).astype(np.float32)
    for ours, theirs in zip(maps(full, picture), maps(small, picture), strict=True):
        assert np.abs(ours - theirs).max() < 1e-4
        assert np.ptp(ours) > 0


def test_another_network_is_refused(small: onnx.ModelProto) -> None:
    other = onnx.ModelProto()
    other.CopyFrom(small)
    first = next(node for node in other.graph.node if node.op_type == "Conv")
    weight = next(tensor for tensor in other.graph.initializer if tensor.name == first.input[1])
    weight.CopyFrom(onnx.numpy_helper.from_array(np.zeros((64, 4, 3, 3), np.float32), weight.name))
    with pytest.raises(ValueError, match="got a convolution of 4 channels where U²-Net-small has 3"):
        full_u2net.widen(other)


def test_int8_is_fitted_to_other_photographs_than_it_is_judged_by(tmp_path: Path) -> None:
    assert not set(own_build.CALIBRATION_SUBJECTS) & set(own_build.GATE_SUBJECTS)
    samples = bundled.SAMPLES
    made = own_build.crops(samples, own_build.GATE_SUBJECTS, 102, tmp_path / "gate")
    names = sorted(path.name for path in made.iterdir())
    assert len(names) == 102
    before = {path.name: path.stat().st_mtime_ns for path in made.iterdir()}
    own_build.crops(samples, own_build.GATE_SUBJECTS, 102, tmp_path / "gate")
    assert before == {path.name: path.stat().st_mtime_ns for path in made.iterdir()}
