"""The embedded server as a process: how it starts, fails, recovers and ends."""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

from alphacut_core import installed, probe
from alphacut_core.installed import Installed
from alphacut_engines import configs
from alphacut_server import environment, paths
from alphacut_server.health import Health
from tests import kernel

pytestmark = pytest.mark.triton

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
StartServer = Callable[..., Any]  # makes a ServerProcess; see conftest.py


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run after a while; a zombie that nobody has reaped yet does not."""
    _, left = psutil.wait_procs(processes, timeout=8)
    return [process for process in left if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def own_repository(repository: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(repository, tmp_path / "model_repository", symlinks=True))


def stub_of(server: Any, model: str) -> psutil.Process:
    # A stub's arguments begin with its model's file; those of Triton's leash are all others'.
    return next(child for child in server.children() if f"/{model}/" in " ".join(child.cmdline()[1:2]))


def send_pixels(url: str, ending: threading.Event, patience_s: float = 60.0) -> None:
    """Keep the engine itself busy until told to end, whether it answers or not."""
    picture = InferInput("IMAGE", [1, 320, 320, 3], "UINT8")
    picture.set_data_from_numpy(np.zeros((1, 320, 320, 3), np.uint8))
    with contextlib.closing(InferenceServerClient(url)) as client:
        while not ending.is_set():
            with contextlib.suppress(InferenceServerException):
                client.infer("u2netp", [picture], client_timeout=patience_s)


def engine_of(repository: Path) -> Installed:
    engine = installed.find(repository, "u2netp")
    assert engine is not None
    return engine


def test_it_answers_on_loopback_only_ends_with_its_owner_and_leaves_nothing(
    start_server: StartServer, repository: Path
):
    server = start_server()
    health = Health(server.url)
    health.check(engine_of(repository), timeout_s=10)
    health.close()
    addresses = {c.laddr.ip for c in server.triton().net_connections("inet") if c.status == psutil.CONN_LISTEN}
    assert {address.removeprefix("::ffff:") for address in addresses} == {"127.0.0.1"}
    assert list(SHARED_MEMORY.glob(f"alphacut_{server.process.pid}-*_*-*"))
    everything = server.children()
    assert len(everything) == 5  # the leash, Triton and three stubs
    assert server.close() == 0
    assert alive(everything) == []
    assert not list(SHARED_MEMORY.glob(f"alphacut_{server.process.pid}-*"))


def test_ctrl_c_ends_it_cleanly(start_server: StartServer):
    server = start_server()
    everything = server.children()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(20) == 0
    assert alive(everything) == []


def test_no_stub_crashes_when_it_ends(start_server: StartServer):
    with contextlib.closing(kernel.Log()) as log:
        server = start_server()
        stubs = {child.pid for child in server.children() if "python_backend_stub" in child.name()}
        assert server.close() == 0
        assert stubs
        assert not stubs & log.crashed()


def test_no_process_outlives_a_killed_supervisor(start_server: StartServer):
    server = start_server()
    everything = server.children()
    server.process.kill()
    assert alive(everything) == []


def test_a_killed_triton_is_restarted_at_the_same_address(start_server: StartServer, repository: Path):
    server = start_server()
    before = server.children()
    server.triton().kill()
    assert alive(before) == []
    assert_answers_again(server.url, repository)


def test_a_restart_needs_nothing_of_a_temporary_folder_that_is_gone(
    start_server: StartServer, repository: Path, tmp_path: Path
):
    server = start_server()
    (folder,) = tmp_path.glob("alphacut-server-*")
    shutil.rmtree(folder)
    server.triton().kill()
    assert_answers_again(server.url, repository)
    assert re.search(r"Triton ended with status 137\. Its log says:\n(?!alphacut:).", server.stderr)


@pytest.mark.parametrize("model", ["u2netp", "postprocess"])
def test_a_dead_stub_costs_a_restart_and_no_more(start_server: StartServer, repository: Path, model: str):
    server = start_server()
    triton = server.triton()
    stub_of(server, model).kill()
    psutil.wait_procs([triton], timeout=60)
    assert not triton.is_running()
    assert_answers_again(server.url, repository)
    # Now and then Triton aborts by itself before it is noticed.
    assert re.search(rf"process of ({model}|some model) has died|Triton ended with status 134", server.stderr)


def test_a_stub_that_hangs_beside_a_busy_engine_is_noticed(start_server: StartServer, repository: Path):
    server = start_server()
    triton = server.triton()
    ending = threading.Event()
    caller = threading.Thread(target=send_pixels, args=(server.url, ending))
    caller.start()
    try:
        stub_of(server, "preprocess").suspend()
        psutil.wait_procs([triton], timeout=60)
        assert not triton.is_running()
        assert_answers_again(server.url, repository)
    finally:
        ending.set()
        caller.join()
    assert "Triton is given up" in server.stderr


def test_an_engine_that_takes_images_and_finishes_none_is_noticed(start_server: StartServer, own_repository: Path):
    hung, adapter = own_repository / "hung", own_repository / "u2netp" / "1" / "model.py"
    taken = "lane = lanes.get()\n"
    assert taken in adapter.read_text()
    wait = f"        while Path({str(hung)!r}).exists():\n            threading.Event().wait(0.1)\n"
    adapter.write_text(adapter.read_text().replace(taken, taken + wait))
    server = start_server("--repository", str(own_repository))
    triton = server.triton()
    ending = threading.Event()
    caller = threading.Thread(target=send_pixels, args=(server.url, ending, 0.5))
    caller.start()
    try:
        hung.touch()
        psutil.wait_procs([triton], timeout=60)
        assert not triton.is_running()
        hung.unlink()
        assert_answers_again(server.url, own_repository)
    finally:
        hung.unlink(missing_ok=True)
        ending.set()
        caller.join()
    assert "Triton is given up" in server.stderr


def test_a_missing_engine_is_named_with_the_command_that_builds_it(start_server: StartServer, own_repository: Path):
    (engine_of(own_repository).folder / probe.ANSWER_FILE).unlink()
    server = start_server("--repository", str(own_repository))
    assert server.process.wait(20) == 1
    assert "run: alphacut build" in server.stderr


def test_another_engine_than_the_checked_one_is_refused(start_server: StartServer, own_repository: Path):
    engine = engine_of(own_repository).folder
    probe.store_answer(255 - np.array(probe.load_answer(engine)), engine)
    server = start_server("--repository", str(own_repository))
    assert server.process.wait(60) == 1
    assert "differs from the known answer" in server.stderr
    assert "alphacut build --force" in server.stderr


def test_a_model_of_another_contract_is_refused_with_the_reason(start_server: StartServer, own_repository: Path):
    config = own_repository / "preprocess" / "config.pbtxt"
    changed = configs.read(config)
    changed.parameters["contract_version"].string_value = "0"
    config.write_text(configs.text(changed))
    server = start_server("--repository", str(own_repository))
    assert server.process.wait(60) == 1
    assert "configured for contract version '0'" in server.stderr


def test_a_broken_engine_file_is_refused_with_the_log(start_server: StartServer, own_repository: Path):
    model = engine_of(own_repository).folder / "model.onnx"
    model.write_bytes(model.read_bytes()[:1000])
    server = start_server("--repository", str(own_repository))
    assert server.process.wait(60) == 1
    assert "before it answered" in server.stderr
    assert "failed to load 'u2netp'" in server.stderr


def test_an_unknown_precision_in_the_manifest_is_refused(start_server: StartServer, own_repository: Path):
    manifest = engine_of(own_repository).folder / "manifest.json"
    options = {"INFERENCE_PRECISION_HINT": "fp7"}
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "compile_options": options}))
    server = start_server("--repository", str(own_repository))
    assert server.process.wait(60) == 1
    assert "fp7" in server.stderr


def test_a_taken_port_is_named(start_server: StartServer):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = start_server("--port", str(taken.getsockname()[1]))
        assert server.process.wait(60) == 1
    assert "choose another with --port" in server.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 1), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_who_waits_for_the_environment_says_so_and_ends_when_told(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, status: int
):
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))
    lock = tmp_path / f"{environment.locate().folder.name}.lock"
    command = [sys.executable, "-m", "alphacut_server", "serve", "--repository", str(repository)]
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as waiting:
            assert waiting.stderr is not None
            said = next((line for line in waiting.stderr if "waiting" in line), "")
            waiting.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                waiting.wait(20)
            waiting.kill()
    assert str(lock) in said
    assert waiting.returncode == status


def test_a_folder_without_models_is_refused(start_server: StartServer, tmp_path: Path):
    server = start_server("--repository", str(tmp_path))
    assert server.process.wait(20) == 1
    assert "no Alphacut model repository" in server.stderr


def assert_answers_again(url: str, repository: Path) -> None:
    """Wait for the restart the way clients do: gRPC connects again when the port is back."""
    channel = grpc.insecure_channel(url, options=[("grpc.max_reconnect_backoff_ms", 200)])
    grpc.channel_ready_future(channel).result(timeout=30)
    channel.close()
    health = Health(url)
    health.check(engine_of(repository), timeout_s=20)
    health.close()
