"""The whole of ``alphacut capacity``, as short as it gets."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_loadtest.capacity import perf_analyzer, second_opinion
from alphacut_loadtest.traffic.corpus import Corpus
from alphacut_loadtest.traffic.mix import Mix, Size

pytestmark = pytest.mark.triton


LITTLE = """
about = "Small pictures at the smallest tier."
warmup_s = 1
slo = "p95=500ms,errors=5%"
stages = [{ duration_s = 2, rate = 0.5 }]

[[lanes]]
name = "visitors"
share = 1.0
[lanes.mix]
sizes = { 320x213 = 1, 213x320 = 1 }
modes = { lite = 1 }
"""


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("capacity")
    scenario = folder / "little.toml"
    scenario.write_text(LITTLE)
    options = (
        "--slo p80=500ms,errors=5% --trial 2 --warm-up 0.5 --callers 1,2,3 --repeats 1 --resolution 1 --target-qps 500"
    )
    command = [sys.executable, "-m", "alphacut_client", "capacity", *options.split(), "--scenario", str(scenario)]
    command += ["--output", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode in (0, 3), done.stderr  # in so short a trial 1.3 times as much may pass
    assert "One such machine" in done.stdout
    assert (folder / "capacity.html").read_text().count("<svg") == 3
    return json.loads((folder / "capacity.json").read_text())


def test_a_rate_is_found_and_machines_for_the_target(content: Any) -> None:
    assert content["capacity_per_s"] > 0
    assert content["confirmed"]["kept"]
    assert content["fleet"]["machines"] >= 500 / content["capacity_per_s"]


def test_triton_counted_what_was_sent_and_says_where_time_went(content: Any) -> None:
    checks = {check["name"]: check for check in content["checks"]}
    counted = checks["requests that Triton counted"]
    assert counted["holds"], counted
    assert {"decode", "engine"} <= set(content["bottleneck"]["stages"])
    assert content["bottleneck"]["stages"]["engine"]["compute_s"] > 0
    assert content["bottleneck"]["cpu_share"]["engine"] > 0


def test_the_result_says_where_it_comes_from(content: Any) -> None:
    assert content["origin"]["machine"]["cores"] > 0
    assert content["origin"]["engine"]
    assert content["scenario"] == "little"
    assert content["second_opinion"]["status"].startswith(("run", "not run"))


def test_tritons_own_load_generator_sees_the_same_server(server_url: str) -> None:
    if perf_analyzer.find() is None:
        pytest.skip(perf_analyzer.NOT_FOUND)
    requests = second_opinion.inputs(Corpus(Mix(sizes={Size(64, 48): 1, Size(96, 64): 1})))
    run = partial(perf_analyzer.run, model=DEFAULT_PIPELINE.ensemble, inputs=requests, requests=20, timeout_s=60.0)
    seen = run(f"grpc://{server_url}", callers=2)
    assert seen.achieved_per_s > 0
    assert 0 < seen.mean_latency_s < 2 * seen.p95_s
    with pytest.raises(perf_analyzer.PerfAnalyzerError, match="failed: perf_analyzer ended with status"):
        run("127.0.0.1:1", callers=1)


def test_results_of_one_machine_can_be_compared(content: Any, tmp_path: Path) -> None:
    (tmp_path / "now.json").write_text(json.dumps(content))
    command = [sys.executable, "-m", "alphacut_client", "capacity", "compare", *[str(tmp_path / "now.json")] * 2]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "within bounds" in done.stdout
