"""Asynchronous jobs: nothing accepted is lost, whoever is killed."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import redis
from PIL import Image

from alphacut_core import codec
from tests.serving import served
from tests.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.triton

SECRET = "a secret of thirty-two characters"  # noqa: S105  of this test
LEASE_S = "5"


class Worker:
    """``alphacut worker`` in a process of its own."""

    def __init__(self, url: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alphacut_client", "worker", "--url", url, "--processes", "1"],
            env={**os.environ, **variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def everything(self) -> list[psutil.Process]:
        """The worker and the processes that it has forked."""
        return [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]

    def kill(self) -> None:
        """End all of it at once, without a word."""
        if self.process.poll() is not None:
            return
        everything = self.everything()
        for process in everything:
            process.suspend()
        for process in everything:
            process.kill()
        self.process.wait()


@pytest.fixture
def start_worker() -> Iterator[Callable[..., Worker]]:
    """Start workers; whatever is left of them is ended afterwards."""
    started: list[Worker] = []

    def start(url: str, **variables: str) -> Worker:
        started.append(Worker(url, **variables))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


class Hook(http.server.ThreadingHTTPServer):
    """A receiver of webhooks that fails at first."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.told = threading.Event()
        super().__init__(("127.0.0.1", 0), _Receive)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}/ended"


class _Receive(http.server.BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append(({name.lower(): value for name, value in self.headers.items()}, content))
        failing = len(self.server.calls) <= self.server.failures
        self.send_response(500 if failing else 204)
        self.end_headers()
        if not failing:
            self.server.told.set()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    with served(Hook(failures=1)) as server:
        yield server


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of somebody who takes calls and says nothing: a job that is sent there stays in the middle."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def pictures(number: int) -> list[bytes]:
    return [codec.encode_png(Image.new("RGB", (200 + i, 150), (200, 30, i))) for i in range(number)]


def asked(gateway: str, job_id: str) -> dict[str, Any]:
    return httpx.get(f"{gateway}/v1/jobs/{job_id}", timeout=60).json()


def finished(gateway: str, job_id: str) -> dict[str, Any]:
    """Wait for a job's end and return what it is then."""
    wait_until("the job's end", lambda: asked(gateway, job_id)["state"] in ("done", "failed"))
    return asked(gateway, job_id)


def submit(gateway: str, data: bytes, query: str = "", **headers: str) -> dict[str, Any]:
    answer = httpx.post(f"{gateway}/v1/jobs?{query}", content=data, headers=headers, timeout=60)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    return answer.json()


def n_refused(client: redis.Redis) -> int:
    """How often Redis has refused something because it is full."""
    return sum(errors["count"] for name, errors in client.info("errorstats").items() if name == "errorstat_OOM")


def test_killing_the_worker_and_the_gateway_in_mid_job_loses_nothing(
    start_gateway: Any, start_worker: Callable[..., Worker], redis_process: Any, server_url: str, silent: str
) -> None:
    variables = {"ALPHACUT_GATEWAY_REDIS_URL": redis_process.url, "ALPHACUT_GATEWAY_JOB_LEASE_S": LEASE_S}
    gateway = start_gateway("--url", server_url, **variables)
    doomed = start_worker(silent, **variables)
    jobs = [submit(gateway.url, data) for data in pictures(6)]
    assert all(job["durable"] for job in jobs)
    wait_until("a job's beginning", lambda: any(asked(gateway.url, job["id"])["state"] == "running" for job in jobs))
    doomed.kill()
    gateway.kill()
    again = start_gateway("--url", server_url, **variables)
    start_worker(server_url, **variables)
    ends = [finished(again.url, job["id"]) for job in jobs]
    assert [end["state"] for end in ends] == ["done"] * 6
    assert max(end["attempts"] for end in ends) >= 2
    result = httpx.get(f"{again.url}{ends[0]['result']}", timeout=60)
    with Image.open(io.BytesIO(result.content)) as cutout:
        assert (cutout.mode, cutout.size) == ("RGBA", (200, 150))


def test_a_killed_pool_process_costs_its_worker_nothing(
    start_gateway: Any, start_worker: Callable[..., Worker], redis_process: Any, server_url: str, silent: str
) -> None:
    # A lease longer than the test: what brings the job back is the worker's parent.
    variables = {"ALPHACUT_GATEWAY_REDIS_URL": redis_process.url, "ALPHACUT_GATEWAY_JOB_LEASE_S": "3600"}
    gateway = start_gateway("--url", server_url, **variables)
    worker = start_worker(silent, **variables)
    job = submit(gateway.url, pictures(1)[0])
    for attempt in (1, 2, 3):
        wait_until(f"attempt {attempt}", lambda: asked(gateway.url, job["id"])["attempts"] >= attempt)  # noqa: B023
        for child in psutil.Process(worker.process.pid).children() if attempt < 3 else []:
            child.kill()


def test_a_full_redis_ends_no_worker_and_jobs_whose_tasks_are_gone_are_done(
    start_gateway: Any, start_worker: Callable[..., Worker], redis_process: Any, server_url: str
) -> None:
    variables = {"ALPHACUT_GATEWAY_REDIS_URL": redis_process.url, "ALPHACUT_GATEWAY_JOB_LEASE_S": LEASE_S}
    gateway = start_gateway("--url", server_url, **variables)
    worker = start_worker("127.0.0.1:1", **variables)  # nobody is there: its tasks are put off again and again
    jobs = [submit(gateway.url, data) for data in pictures(2)]
    with redis.Redis.from_url(redis_process.url) as client:
        wait_until("a task in hand", lambda: client.hlen("unacked"))
        client.config_set("maxmemory", 1)
        # More than one connection is refused: who gives up at the first does not get that far.
        wait_until("many refusals", lambda: n_refused(client) > 200 or worker.process.poll() is not None)
        assert worker.process.poll() is None
        client.config_set("maxmemory", 0)
        worker.kill()
        # As it is where Redis hands tasks to a worker whose machine has lost its power.
        client.delete("alphacut", "unacked", "unacked_index")
    start_worker(server_url, **variables)
    assert [finished(gateway.url, job["id"])["state"] for job in jobs] == ["done"] * 2


def test_the_end_of_a_job_is_announced_signed_and_again_if_nobody_listened(
    start_gateway: Any, start_worker: Callable[..., Worker], redis_process: Any, server_url: str, hook: Hook
) -> None:
    variables = {
        "ALPHACUT_GATEWAY_REDIS_URL": redis_process.url,
        "ALPHACUT_GATEWAY_WEBHOOK_HOSTS": f"localhost:{hook.server_port}@127.0.0.0/8",
        "ALPHACUT_GATEWAY_WEBHOOK_SECRET": SECRET,
    }
    gateway = start_gateway("--url", server_url, **variables)
    start_worker(server_url, **variables)
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    job = submit(gateway.url, pictures(1)[0], f"webhook={hook.url}", traceparent=trace)
    assert hook.told.wait(PATIENCE_S)
    headers, content = hook.calls[-1]
    signed = f"{headers['x-alphacut-timestamp']}.".encode() + content
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["x-alphacut-signature"] == f"v1={expected}"
    assert headers["traceparent"] == trace
    assert abs(int(headers["x-alphacut-timestamp"]) - time.time()) < PATIENCE_S
    assert json.loads(content)["state"] == "done"
    assert json.loads(content)["id"] == job["id"]
    assert len(hook.calls) >= 2
    _, log = gateway.end()
    assert SECRET not in log


def test_without_redis_a_file_brings_jobs_through_the_gateways_death(
    start_gateway: Any, server_url: str, tmp_path: Path
) -> None:
    variables = {
        "ALPHACUT_GATEWAY_JOBS_FILE": str(tmp_path / "jobs.sqlite3"),
        "ALPHACUT_GATEWAY_JOB_LEASE_S": LEASE_S,
    }
    gateway = start_gateway("--url", server_url, **variables)
    jobs = [submit(gateway.url, data) for data in pictures(12)]
    assert all(job["durable"] for job in jobs)
    gateway.kill()
    assert (tmp_path / "jobs.sqlite3").stat().st_mode & 0o077 == 0
    again = start_gateway("--url", server_url, **variables)
    assert {finished(again.url, job["id"])["state"] for job in jobs} == {"done"}
