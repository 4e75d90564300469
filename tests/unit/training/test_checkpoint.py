from __future__ import annotations

from pathlib import Path

import pytest
import torch

from alphacut_core.errors import EngineSourceError
from alphacut_training import checkpoint, export, prune
from alphacut_training.network import FULL, SMALL, Architecture, U2Net

from .conftest import BUNDLED


@pytest.mark.parametrize("shape", [FULL, SMALL], ids=lambda shape: shape.name)
def test_a_state_dict_says_itself_which_network_it_is(tmp_path: Path, shape: Architecture) -> None:
    network = U2Net(shape).eval()
    checkpoint.save(network, tmp_path / "net.pth")
    image = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(checkpoint.load(tmp_path / "net.pth")(image)[0], network(image)[0])


def test_a_pruned_network_survives_every_kind_of_file(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = prune.prune(U2Net(SMALL), 0.4)
    checkpoint.save(network, tmp_path / "net.pth")
    export.export(network, tmp_path / "net.onnx", size=64)
    image = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        expected = network.eval()(image)[0]
        assert torch.equal(checkpoint.load(tmp_path / "net.pth")(image)[0], expected)
        assert torch.allclose(checkpoint.load(tmp_path / "net.onnx")(image)[0], expected, atol=1e-4)


@pytest.mark.parametrize("suffix", [".pth", ".ckpt", ".onnx"])
@pytest.mark.parametrize(
    "content", [b"", b"nonsense", BUNDLED.read_bytes()[:5000]], ids=["empty", "nonsense", "cut off"]
)
def test_a_broken_file_is_refused_with_what_is_wanted(tmp_path: Path, suffix: str, content: bytes) -> None:
    file = tmp_path / f"net{suffix}"
    file.write_bytes(content)
    with pytest.raises(EngineSourceError, match=f"net{suffix}.*give"):
        checkpoint.load(file)


def test_another_networks_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(3, 4).state_dict(), tmp_path / "other.pth")
    with pytest.raises(EngineSourceError, match="holds no U²-Net"):
        checkpoint.load(tmp_path / "other.pth")


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    torch.save(Trap(tmp_path / "sprung"), tmp_path / "trap.pth")
    with pytest.raises(EngineSourceError, match=r"cannot read .*trap\.pth"):
        checkpoint.load(tmp_path / "trap.pth")
    assert not (tmp_path / "sprung").exists()


class Trap:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return (Path.touch, (self.file,))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineSourceError, match="no file"):
        checkpoint.load(tmp_path / "none.pth")
