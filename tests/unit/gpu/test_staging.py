"""A repository laid out for the course is one that the embedded server takes."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from alphacut_core import installed
from alphacut_engines import configs
from alphacut_engines.registry import BUNDLED
from alphacut_engines.target import Network
from alphacut_server import served
from alphacut_server.served import Wish
from alphacut_server.switch import check_files


def test_engines_of_a_gpu_stand_where_the_server_looks(
    tmp_path: Path, bundled_graphs: tuple[onnx.ModelProto, onnx.ModelProto], monkeypatch: pytest.MonkeyPatch
) -> None:
    from alphacut_gpu import networks, staging

    monkeypatch.setattr(networks, "_forms", lambda name: Network(BUNDLED, *bundled_graphs))
    engine = tmp_path / "some.engine"
    engine.write_bytes(b"an engine")
    rtx = staging.tensorrt_rtx(tmp_path / "rtx", engine, "fp16")
    nothing = staging.nothing(tmp_path / "nothing")
    torch = staging.pytorch(tmp_path / "torch", engine, Path("/where/torch/is"))
    adapters = {rtx: configs.RTX_ADAPTER, nothing: staging.NULL_ADAPTER, torch: staging.PYTORCH_ADAPTER}
    for repository, adapter in adapters.items():
        (found,) = served.find(repository, Wish(("u2netp",), ("full",)))
        check_files(found)
        assert found.pipeline == staging.PIPELINE
        config = configs.read(installed.config_path(repository, found.engine))
        assert (config.backend, config.default_model_filename) == ("python", adapter)
        assert (found.folder / adapter).is_file()
        assert (found.folder / "probe.png").is_file()
        compile((found.folder / adapter).read_text(), adapter, "exec")
    assert config.parameters["packages"].string_value == "/where/torch/is"
    assert config.parameters["size"].string_value == "320"
