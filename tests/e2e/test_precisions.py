"""INT8 and BF16, built by the command and served side by side by the real Triton."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput

from alphacut_core import codec, geometry, installed
from alphacut_core.agreement import BOUNDS
from alphacut_engines import openvino_cpu, processor
from alphacut_engines.reference import Reference
from alphacut_engines.registry import BUNDLED

pytestmark = pytest.mark.triton

NAMES = {"int8": "u2netp", "bf16": "plain16"}


@pytest.fixture
def both(repository: Path, tmp_path: Path) -> Path:
    """The checkout's repository, whose engine is INT8 where the processor has it, and the same network in BF16."""
    for precision in NAMES:
        if lack := processor.lacking(precision):
            pytest.skip(f"{precision} is not built here: {lack}")
    folder = Path(shutil.copytree(repository, tmp_path / "models", symlinks=True))
    command = [sys.executable, "-m", "alphacut_client", "build", "--repository", str(folder)]
    subprocess.run([*command, "--precision", "bf16", "--name", NAMES["bf16"]], check=True, capture_output=True)
    return folder


@pytest.mark.timeout(900)  # a build and a server
def test_each_is_served_as_the_gate_judged_it(
    both: Path, start_server: Callable[..., Any], samples: dict[str, bytes], bundled_graphs: tuple[Any, Any]
) -> None:
    reference = Reference(bundled_graphs[1], "test")
    squares = np.stack([geometry.to_square(codec.decode(content), BUNDLED.size) for content in samples.values()])
    wanted, _ = reference.masks(squares)
    server = start_server("--repository", str(both))
    assert server.url, server.stderr
    triton = InferenceServerClient(server.url)
    image = InferInput("IMAGE", list(squares.shape), "UINT8")
    image.set_data_from_numpy(squares)
    for precision, name in NAMES.items():
        found = installed.find(both, name)
        assert found is not None
        assert found.manifest["precision"] == precision
        assert found.manifest["compile_options"] == openvino_cpu.compile_options(precision)
        masks = triton.infer(name, [image], client_timeout=120).as_numpy("MASK")
        difference = np.abs(masks.astype(int) - wanted).mean()
        assert 0 < difference < BOUNDS[precision].mean_difference, precision
    triton.close()
