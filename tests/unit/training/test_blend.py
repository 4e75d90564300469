from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from alphacut_core.errors import EngineSourceError, InvalidOptionError
from alphacut_training import checkpoint, cli
from alphacut_training.blend import blend
from alphacut_training.export import export, folded_copy
from alphacut_training.network import U2Net, architecture

from .test_fit import TINY, tiny


def maps(network: U2Net) -> torch.Tensor:
    torch.manual_seed(3)
    with torch.inference_mode():
        return network.eval()(torch.randn(1, 3, 64, 64))[0]


def test_the_ends_are_the_two_networks() -> None:
    before, after = tiny(1), tiny(2)
    torch.testing.assert_close(maps(blend(before, after, 0)), maps(before), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(maps(blend(before, after, 1)), maps(after), atol=1e-4, rtol=1e-4)


def test_the_middle_has_the_mean_of_the_folded_weights() -> None:
    before, after = tiny(1), tiny(2)
    middle, ends = blend(before, after, 0.5).state_dict(), [folded_copy(one).state_dict() for one in (before, after)]
    for name, tensor in middle.items():
        assert torch.equal(tensor, 0.5 * ends[0][name] + 0.5 * ends[1][name])


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_beyond_the_ends_is_refused(share: float) -> None:
    with pytest.raises(InvalidOptionError, match="allowed are 0 to 1"):
        blend(tiny(), tiny(), share)


def test_networks_of_different_channels_are_refused() -> None:
    with pytest.raises(EngineSourceError, match="different channels"):
        blend(tiny(), U2Net(architecture("u2netp")), 0.5)


def test_export_writes_the_network_between(tmp_path: Path) -> None:
    torch.manual_seed(1)
    start, model = U2Net(TINY), U2Net(TINY)
    export(start, tmp_path / "start.onnx", 64)  # as published files are: batch normalisation folded
    checkpoint.save(model, tmp_path / "model.pth")
    arguments = [
        "--model",
        "model.pth",
        "--start",
        "start.onnx",
        "--share",
        "0.25",
        "--size",
        "64",
        "--output",
        "x.onnx",
    ]
    arguments = [str(tmp_path / one) if one.endswith((".pth", ".onnx")) else one for one in arguments]
    result = CliRunner().invoke(cli.export, arguments)
    assert result.exit_code == 0, result.output
    written = checkpoint.load(tmp_path / "x.onnx")
    torch.testing.assert_close(maps(written), maps(blend(start, model, 0.25)), atol=1e-5, rtol=1e-5)
