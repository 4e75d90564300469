"""INT8 and BF16, built from nothing by the command and served side by side by the real Triton."""

from __future__ import annotations

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
from alphacut_engines import fuse, openvino_cpu, optimise, processor, source
from alphacut_engines.reference import Reference
from alphacut_engines.registry import BUNDLED

pytestmark = pytest.mark.triton

NAMES = {"int8": "u2netp", "bf16": "plain16"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the bundled network in INT8 and, under another name, in BF16."""
    for precision, name in NAMES.items():
        if lack := processor.lacking(precision):
            pytest.skip(f"{precision} is not built here: {lack}")
        command = [sys.executable, "-m", "alphacut_client", "build", "--repository", str(tmp_path / "models")]
        command += ["--precision", precision, *(["--name", name] if name != "u2netp" else [])]
        subprocess.run(command, check=True, capture_output=True, text=True)
    return tmp_path / "models"


def test_each_is_served_as_the_gate_judged_it(
    repository: Path, start_server: Callable[..., Any], samples: dict[str, bytes]
) -> None:
    fused = fuse.fuse(optimise.optimise(source.load(BUNDLED.weights, BUNDLED), BUNDLED), BUNDLED)
    reference = Reference(fused, "test")
    squares = np.stack([geometry.to_square(codec.decode(content), BUNDLED.size) for content in samples.values()])
    wanted, _ = reference.masks(squares)
    server = start_server("--repository", str(repository))
    assert server.url, server.stderr
    triton = InferenceServerClient(server.url)
    image = InferInput("IMAGE", list(squares.shape), "UINT8")
    image.set_data_from_numpy(squares)
    for precision, name in NAMES.items():
        found = installed.find(repository, name)
        assert found is not None
        assert found.manifest["precision"] == precision
        assert found.manifest["compile_options"] == openvino_cpu.compile_options(precision)
        masks = triton.infer(name, [image], client_timeout=120).as_numpy("MASK")
        difference = np.abs(masks.astype(int) - wanted).mean()
        assert 0 < difference < BOUNDS[precision].mean_difference, precision
    triton.close()
