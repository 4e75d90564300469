"""Locust before the real server: as its own users start it, and through ``alphacut load``."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from alphacut_client import Client
from alphacut_core.errors import ServerStartError
from alphacut_loadtest.generator import records
from alphacut_loadtest.generator.outcome import OUTCOMES
from alphacut_loadtest.measure.service import check_served
from tests.waiting import wait_until

pytestmark = pytest.mark.triton

ROOT = Path(__file__).resolve().parents[2]
LOCUSTFILE = ROOT / "loadtest" / "locustfile.py"
TIMEOUT_S = 200
SCENARIO = """
about = "Two open lanes and a bulk job, for a moment."
slo = "p95=60s,errors=0%"
timeout_s = 60
stages = [{ duration_s = 2, rate = 1.0 }, { duration_s = 1, rate = 2.0 }]
[[lanes]]
name = "good"
share = 0.6
[lanes.mix]
sizes = { 64x48 = 1 }
formats = { jpg = 1, png = 1, webp = 1 }
modes = { full = 2, medium = 1, lite = 1 }
decodes = { exact = 1, fast = 1 }
repeats = 0.3
[[lanes]]
name = "broken"
share = 0.4
mix = { sizes = { 64x48 = 1 }, corrupt = 1.0 }
[[lanes]]
name = "bulk"
callers = 2
mix = { sizes = { 64x48 = 1 }, answers = { cutout = 1 } }
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run() -> Run:
    """Run a command to its end; afterwards none of its processes may be left."""
    mark = uuid.uuid4().hex

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "ALPHACUT_TEST_MARK": mark},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
        left = [process for process in psutil.process_iter() if _marked(process, mark)]
        assert psutil.wait_procs(left, timeout=20)[1] == []
        return done

    return run


def _marked(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get("ALPHACUT_TEST_MARK") == mark
    except psutil.Error:
        return False


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "moment.toml"
    path.write_text(SCENARIO)
    return path


ENGINES = [f"u2netp{tier}" for tier in ("", "_medium", "_lite")]


def inferences(client: Client) -> dict[str, int]:
    return {name: model.inferences for name, model in client.statistics().items()}


def test_a_scenario_runs_is_judged_and_leaves_a_page_and_json(
    run: Run, server_url: str, scenario: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with Client(server_url) as client:
        before = inferences(client)
        done = run(
            "-m", "alphacut_client", "load", str(scenario), "--url", server_url, "--rate", "8", "--output", str(out)
        )  # fmt: skip
        after = inferences(client)
    assert done.returncode == 0, done.stdout + done.stderr
    tiers = [after[name] - before[name] for name in after if name.startswith("remove_background")]
    answered = sum(tiers)
    assert min(tiers) > 0
    assert "moment: p95=60s,errors=0% was kept" in done.stdout
    content = json.loads((out / "load-moment.json").read_text())
    lanes: dict[str, int] = {}
    for part in content["judgement"]["parts"]:
        lanes[part["lane"]] = lanes.get(part["lane"], 0) + part["seen"]["requests"]
    assert min(lanes.values()) > 0
    # Broken files are no inferences, the supervisor's probes are some.
    assert lanes["good"] + lanes["bulk"] <= answered <= lanes["good"] + lanes["bulk"] + TIMEOUT_S / 2
    assert not re.search(r"(src|href)=|<script", (out / "load-moment.html").read_text())


def test_pixels_go_to_the_engine_and_past_the_decoder(run: Run, server_url: str, tmp_path: Path) -> None:
    path = tmp_path / "pixels.toml"
    lane = "[[lanes]]\nname = 'gateways'\nshare = 1.0\nmix = { sizes = { 64x48 = 1 }, uploads = { pixels = 1 } }\n"
    path.write_text(f"slo = 'p95=60s,errors=0%'\ntimeout_s = 60\nstages = [{{ duration_s = 2, rate = 1.0 }}]\n{lane}")
    with Client(server_url) as client:
        before = inferences(client)
        arguments = ["load", str(path), "--url", server_url, "--rate", "30", "--output", str(tmp_path)]
        done = run("-m", "alphacut_client", *arguments)
        after = inferences(client)
    assert done.returncode == 0, done.stdout + done.stderr
    sent = json.loads((tmp_path / "load-pixels.json").read_text())["judgement"]["parts"][0]["seen"]["requests"]
    assert after["u2netp"] - before["u2netp"] >= sent > 20
    assert after["preprocess"] - before["preprocess"] < sent / 2, "the supervisor's probes at most"


def test_a_gateway_is_asked_for_every_tier_too(
    run: Run, server_url: str, gateway: str, scenario: Path, tmp_path: Path
) -> None:
    with Client(server_url) as client:
        before = inferences(client)
        arguments = ["load", str(scenario), "--url", gateway, "--rate", "8", "--output", str(tmp_path)]
        done = run("-m", "alphacut_client", *arguments)
        after = inferences(client)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(after[engine] > before[engine] for engine in ENGINES)


def test_a_promise_that_is_not_kept_ends_in_status_three(
    run: Run, server_url: str, scenario: Path, tmp_path: Path
) -> None:
    arguments = ["load", str(scenario), "--url", server_url, "--rate", "3", "--slo", "p95=1us,errors=0%"]
    done = run("-m", "alphacut_client", *arguments, "--output", str(tmp_path))
    assert done.returncode in (3, 4), done.stderr  # at so short a bound a busy machine makes the client the limit
    assert "MISSED" in done.stdout or "No result" in done.stdout


def test_two_processes_share_the_load_and_all_of_it_is_recorded(
    run: Run, server_url: str, scenario: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "records"
    kept.mkdir()
    locust = ["-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--host", f"grpc://{server_url}"]
    options = ["--scenario", str(scenario), "--rate", "8", "--records", str(kept), "--stop-timeout", "60"]
    done = run(*locust, *options, "--processes", "2")
    assert done.returncode == 0, done.stderr
    samples, processes = records.read(kept)
    assert len(processes) == 2
    assert set(samples.lane) == {0, 1, 2}
    assert samples.good.all(), [OUTCOMES[number] for number in samples.outcome[~samples.good]]
    # Twice the seeds, not twice the pattern: arrivals of the two are at different times.
    arrivals = samples.where(samples.lane < 2).intended_s
    assert len(set(arrivals)) == len(arrivals) > 3


def test_two_processes_send_their_plans_to_the_end_although_they_start_later(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "dense.toml"
    lane = "[[lanes]]\nname = 'visitors'\nshare = 1.0\nmix = { sizes = { 64x48 = 1 } }\n"
    path.write_text(f"slo = 'p95=1s'\nstages = [{{ duration_s = 3, rate = 1.0 }}]\n{lane}")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and never listens
        done = run(
            *("-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--processes", "2", "--records", str(tmp_path)),
            *("--host", f"http://127.0.0.1:{nobody.getsockname()[1]}", "--scenario", str(path), "--rate", "200"),
        )
    samples, processes = records.read(tmp_path)
    assert len(processes) == 2, done.stderr
    assert samples.intended_s.max() > 2.95, "at 200 a second a pause of 50 ms is none of chance"


def test_workers_elsewhere_learn_from_their_master_what_to_send(
    run: Run, server_url: str, scenario: Path, tmp_path: Path
) -> None:
    port = str(_free_port())
    locust = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE)]
    worker = [*locust, "--worker", "--master-host", "127.0.0.1", "--master-port", port]
    workers = [subprocess.Popen(worker, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    options = ["--scenario", str(scenario), "--rate", "8", "--records", str(tmp_path), "--stop-timeout", "60"]
    try:
        done = run(
            *locust[1:], "--headless", "--host", f"grpc://{server_url}", *options,
            "--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--expect-workers", "2",
        )  # fmt: skip
        told = [worker.communicate(timeout=60)[1] for worker in workers]  # they end with their master
    finally:
        for left in workers:
            left.kill()
            left.communicate()
    assert done.returncode == 0, done.stderr + "".join(told)
    samples, processes = records.read(tmp_path)
    assert {process.pid for process in processes} == {worker.pid for worker in workers}
    assert set(samples.lane) == {0, 1, 2}
    assert samples.good.all(), [OUTCOMES[number] for number in samples.outcome[~samples.good]]


def test_locust_alone_knows_its_own_options(run: Run, server_url: str) -> None:
    locust = ["-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--host", f"grpc://{server_url}"]
    done = run(*locust, "-u", "2", "-r", "2", "-t", "3s", "--json", "--stop-timeout", "60")
    assert done.returncode == 0, done.stderr
    (interactive,) = (one for one in json.loads(done.stdout) if one["name"] == "interactive: mask")
    assert interactive["num_requests"] > 0
    assert interactive["num_failures"] == 0


def test_locusts_own_web_page_starts_users(server_url: str) -> None:
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--host", f"grpc://{server_url}"]
    process = subprocess.Popen(
        [*command, "--web-host", "127.0.0.1", "--web-port", str(_free_port())], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        told = next(line for line in process.stderr if "web interface at" in line)
        address = re.search(r"http://\S+?:\d+", told)
        assert address is not None
        wait_until("listening, a moment after it is told", lambda: _listens(address[0]))
        form = f"user_count=1&spawn_rate=1&host=grpc://{server_url}".encode()
        assert _fetch(f"{address[0]}/swarm", form)["success"]
        stats = f"{address[0]}/stats/requests"
        wait_until("a request", lambda: bool(_fetch(stats)["stats"][-1]["num_requests"]))
        assert _fetch(stats)["errors"] == []
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()


def _fetch(address: str, form: bytes | None = None) -> Any:
    with urllib.request.urlopen(address, form, timeout=60) as answer:  # noqa: S310  this machine's
        return json.load(answer)


def _listens(address: str) -> bool:
    try:
        _fetch(f"{address}/stats/requests")
    except urllib.error.URLError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_a_tier_that_is_not_built_is_told_before_anything_is_sent(start_server: Callable[..., Any]) -> None:
    server = start_server("--model", "u2netp", "--tier", "full")
    check_served(server.url, ["full"])
    with pytest.raises(ServerStartError, match="tier 'lite', and built are full; run: alphacut build --tier all"):
        check_served(server.url, ["full", "lite"])


@pytest.mark.parametrize("rate", ["nan", "inf", "-1", "0", "fast"])
def test_a_rate_that_cannot_be_sent_is_refused_by_locust_too(run: Run, rate: str) -> None:
    done = run("-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--scenario", "smoke", f"--rate={rate}", "-t", "1s")
    assert done.returncode == 2
    assert "--rate" in done.stderr


def test_a_scenario_that_does_not_exist_is_told_with_those_that_do(run: Run) -> None:
    done = run("-m", "alphacut_client", "load", "nothing", "--url", "127.0.0.1:1")
    assert done.returncode == 1
    assert "there are mixed, overload" in done.stderr


def test_three_times_too_much_is_refused_quickly_or_served_in_bounded_time_and_less_is_refused_after(
    run: Run, server_url: str, start_gateway: Any, tmp_path: Path
) -> None:
    gateway = start_gateway("--url", server_url, ALPHACUT_GATEWAY_MAX_MEGAPIXELS_IN_FLIGHT="4")
    # No recovery is promised: of nine requests in five seconds, one that others' work makes late decides it.
    promise = "p95=30s,errors=1%,refusals=95%,refused_p95=10s"
    done = run(
        "-m", "alphacut_client", "load", "overload", "--url", gateway.url, "--speed", "4", "--slo", promise,
        "--output", str(tmp_path),
    )  # fmt: skip
    assert done.returncode in (0, 4), done.stdout + done.stderr
    judged = json.loads((tmp_path / "load-overload.json").read_text())["judgement"]
    assert judged["misses"] == []
    _, peak, calm = (part["seen"] for part in judged["parts"])
    assert peak["refused"] > 0.2
    assert peak["failed"] < 0.01
    assert peak["refused_latency_s"]["p50"] < peak["latency_s"]["p50"]
    assert calm["refused"] < peak["refused"]
