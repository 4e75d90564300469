"""The bench as a whole, as small as it gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import psutil
import pytest

from alphacut_loadtest.bench import pictures
from alphacut_loadtest.bench.pictures import Shot

pytestmark = pytest.mark.triton

ROOT = Path(__file__).resolve().parents[2]
CONTENDERS = ["rembg-mask", "mask-encoded", "mask-pixels", "engine-decode"]


def of_this_test(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get("ALPHACUT_TEST_MARK") == mark
    except psutil.Error:
        return False


@pytest.fixture(scope="module")
def mark() -> str:
    return uuid.uuid4().hex


@pytest.fixture(scope="module")
def output(repository: Path, mark: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of one round on two small pictures."""
    pytest.importorskip("rembg", reason="rembg supports Python 3.11 to 3.13 only")
    folder = tmp_path_factory.mktemp("bench")
    (folder / "pictures").mkdir()
    shots = (Shot("dahlia", 320, 213), Shot("cat", 320, 213, "png"))
    pictures.make(ROOT / "samples", folder / "pictures", shots)
    options = ["--quick", "--images", folder / "pictures", "--output", folder / "out", "--repository", repository]
    done = subprocess.run(
        [sys.executable, "-m", "alphacut_client", "bench", *map(str, options), "--contenders", ",".join(CONTENDERS)],
        env={**os.environ, "ALPHACUT_TEST_MARK": mark},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "## Ratios" in done.stdout
    return folder / "out"


@pytest.fixture(scope="module")
def content(output: Path) -> Any:
    return json.loads((output / "result.json").read_text())


def test_everybody_is_measured_and_rated(content: Any, output: Path) -> None:
    measured = {(one["contender"], one["concurrency"]) for one in content["measurements"]}
    assert measured == {(name, concurrency) for name in CONTENDERS for concurrency in (1, 4)}
    assert all(one["cpu_s"] > 0 and one["wall_s"] > 0 for one in content["measurements"])
    assert {(one["contender"], one["baseline"]) for one in content["ratios"]} == {
        ("mask-encoded", "rembg-mask"), ("mask-encoded", "engine-decode"), ("mask-pixels", "rembg-mask"),
        ("mask-pixels", "engine-decode"), ("engine-decode", "rembg-mask"),
    }  # fmt: skip
    assert (output / "result.svg").read_text().startswith("<svg")


def test_what_is_timed_is_right(content: Any) -> None:
    assert {one["contender"] for one in content["parity"]} == set(CONTENDERS[1:])
    assert all(one["within"] for one in content["parity"])


def test_time_is_told_by_stage_and_by_process_and_memory_too(content: Any) -> None:
    (alone,) = (
        one for one in content["measurements"] if one["contender"] == "mask-encoded" and one["concurrency"] == 1
    )
    assert {"client: render", "client: wait", "preprocess: compute", "u2netp: compute"} <= set(alone["stages_s"])
    assert {"client", "tritonserver", "stub of preprocess", "stub of u2netp"} <= set(alone["cpu_by_process_s"])
    assert 0 < alone["cpu_by_process_s"]["stub of u2netp"] < alone["cpu_s"] + 0.02
    assert alone["peak_rss_bytes"]["tritonserver"] > 2**20
    watched = {one["contender"]: one for one in content["footprints"]}
    server, processes = watched["mask-encoded"]["server"], watched["mask-encoded"]["processes"]
    assert watched["rembg-mask"]["server"]["pss_bytes"] == 0
    assert 2**20 < processes["stub of u2netp"]["pss_bytes"] < server["pss_bytes"] < server["rss_bytes"]
    assert set(processes) >= {"client", "alphacut_server", "tritonserver", "stub of preprocess", "stub of postprocess"}


def test_every_target_is_accounted_for(content: Any) -> None:
    told = {one["target"]: one for one in content["targets"]}
    assert len(told) >= 13
    assert told["median latency of a mask against rembg"]["met"] in (True, False)
    assert told["growth of server and stubs over 5,000 images"]["met"] is None


def test_no_process_is_left(output: Path, mark: str) -> None:
    left = [process for process in psutil.process_iter() if of_this_test(process, mark)]
    assert left == []


def test_the_stages_of_a_cold_start_add_up_to_the_first_answer(repository: Path, tmp_path: Path) -> None:
    pytest.importorskip("rembg", reason="rembg supports Python 3.11 to 3.13 only")
    options = ["start", "--rounds", "1", "--output", str(tmp_path), "--repository", str(repository)]
    command = [sys.executable, "-m", "alphacut_client", "bench", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = {one["contender"]: one for one in json.loads((tmp_path / "start.json").read_text())["starts"]}
    ours = told["mask-encoded"]
    assert ours["total_s"] == pytest.approx(sum(ours["stages_s"].values()), abs=0.001)
    assert all(seconds > -0.02 for seconds in ours["stages_s"].values()), ours["stages_s"]
    assert set(ours["models_s"]) == {"preprocess", "u2netp", "postprocess", "remove_background"}
    assert told["rembg-mask"]["stages_s"] == {}
