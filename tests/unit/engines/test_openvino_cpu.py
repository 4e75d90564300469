"""OpenVINO as Alphacut uses it tells nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import onnx

from alphacut_engines import fuse
from alphacut_engines.recipe import ModelRecipe

COMPILE = """
import sys, onnx
from alphacut_engines.openvino_cpu import OpenVinoEngine
OpenVinoEngine(onnx.load(sys.argv[1]), "fp32")
assert "openvino" in sys.modules
"""


def test_compiling_a_network_leaves_no_trace_of_telemetry(
    make_network: Callable[[], onnx.ModelProto], recipe: ModelRecipe, tmp_path: Path
) -> None:
    """OpenVINO's telemetry keeps an identity and a count of imports in the home directory, and sends both."""
    model = tmp_path / "model.onnx"
    onnx.save(fuse.fuse(make_network(), recipe), model)
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {"HOME": str(home)}
    subprocess.run([sys.executable, "-c", COMPILE, str(model)], env=environment, check=True)
    assert list(home.iterdir()) == []
