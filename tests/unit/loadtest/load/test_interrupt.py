"""Ctrl-C in the middle of a long run, with a real generator before a server that is none of ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.serving import served

TIMEOUT_S = 120
ENOUGH = 20


@pytest.fixture
def gateway() -> Iterator[tuple[str, threading.Event]]:
    """A server that says yes to everything, and what is set once it has said so twenty times."""
    enough, asked = threading.Event(), []

    class Yes(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            asked.append(self.path)
            if len(asked) >= ENOUGH:
                enough.set()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Yes)
    server.daemon_threads = True
    with served(server):
        yield f"http://127.0.0.1:{server.server_port}", enough


def interrupted(gateway: tuple[str, threading.Event], folder: Path, warmup_s: float) -> tuple[str, str]:
    """Interrupt ten minutes of load as a terminal does, once some was answered; return what was said."""
    url, enough = gateway
    path = folder / "long.toml"
    lane = "[[lanes]]\nname = 'visitors'\nshare = 1.0\nmix = { sizes = { 64x48 = 1 } }\n"
    path.write_text(f"slo = 'p95=1s'\nwarmup_s = {warmup_s}\nstages = [{{ duration_s = 600, rate = 1.0 }}]\n{lane}")
    command = [sys.executable, "-m", "alphacut_client", "load", str(path), "--url", url, "--rate", "50"]
    process = subprocess.Popen(
        [*command, "--output", str(folder / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert enough.wait(TIMEOUT_S)
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 1
    assert "Aborted!" in said[1]
    return said


def test_what_was_seen_until_ctrl_c_is_judged_and_kept(gateway: tuple[str, threading.Event], tmp_path: Path) -> None:
    told, _ = interrupted(gateway, tmp_path, 0.0)
    assert "long: INTERRUPTED after" in told
    content = json.loads((tmp_path / "out" / "load-long.json").read_text())
    assert content["interrupted"]
    assert not content["passed"]
    seen = content["judgement"]["whole"]
    assert seen["requests"] >= ENOUGH / 2
    assert seen["good"] == 1.0
    assert seen["duration_s"] < TIMEOUT_S
    assert seen["offered_per_s"] == pytest.approx(50, rel=0.8), "over what was seen, and not over ten minutes"
    assert (tmp_path / "out" / "load-long.html").is_file()


def test_ctrl_c_before_the_warm_up_is_over_leaves_nothing_to_judge(
    gateway: tuple[str, threading.Event], tmp_path: Path
) -> None:
    told, _ = interrupted(gateway, tmp_path, 599.0)
    assert told == ""
    assert not (tmp_path / "out").exists()
