"""The course for GPU machines, run where there is none: it ends well and says what was not run, and why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alphacut_engines import gpu

SCRIPT = Path(__file__).resolve().parents[1] / "gpu" / "run.sh"
OF_GPUS = {"torch_yardstick", "tensorrt_rtx", "tensorrt", "torch_compiled", "onnx_cuda"}

pytestmark = [pytest.mark.triton, pytest.mark.slow]


@pytest.mark.timeout(650)
def test_without_a_gpu_the_script_passes_and_reports_what_was_not_run(repository: Path, tmp_path: Path) -> None:
    if gpu.visible():
        pytest.skip("there is a GPU here: tests/gpu/run.sh itself is what to run")
    environment = {**os.environ, "PYTHON": sys.executable}
    command = [SCRIPT, "--quick", "--out", tmp_path / "out"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "out" / "gpu.json").read_text())
    sections = report["sections"]
    assert {name for name, one in sections.items() if one["status"] == "not run"} == OF_GPUS
    page = (tmp_path / "out" / "gpu.md").read_text()
    for name in OF_GPUS:
        assert (
            sections[name]["reason"]
            == "no GPU: nvidia-smi is not there or shows none, or CUDA_VISIBLE_DEVICES hides it"
        )
        assert sections[name]["found"] == {}
        assert f"| {sections[name]['title']} | not run |" in page
    assert {one["verdict"] for one in report["targets"]} == {"not run"}
    serving = sections["serving"]["found"]
    assert not serving["on_gpu"]
    assert serving["parity"]["passed"]
    for one in (serving["one_caller"], *serving["callers"].values(), *serving["arrivals"]):
        assert one["good"] == 1
        assert one["images_per_s"] > 0
    around = sections["around"]["found"]["ways"]
    assert all(one["good"] == 1 and one["processor_ms"]["triton"] > 0 for one in around.values())
    assert around["files"]["processor_ms"]["decode"] > 1 > around["squares of pixels"]["processor_ms"].get("decode", 0)
    ways = sections["decoding"]["found"]["ways"]
    assert {name for name, way in ways.items() if "not_run" in way} == {"nvImageCodec", "DALI"}
