"""Several processes on one port, and connections that want to keep everybody else out."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.waiting import wait_until

pytestmark = pytest.mark.triton

N_IDLE = 2000


def workers_of(running: Any) -> list[psutil.Process]:
    children = psutil.Process(running.process.pid).children()
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if any("spawn_main" in word for word in child.cmdline())]


def test_two_workers_serve_count_together_and_replace_one_that_is_killed(
    start_gateway: Any, server_url: str, samples: dict[str, bytes], tmp_path: Path
) -> None:
    file = str(tmp_path / "jobs.sqlite3")
    running = start_gateway("--url", server_url, "--workers", "2", ALPHACUT_GATEWAY_JOBS_FILE=file)
    assert running.url, running.end()[1]
    for _ in range(20):  # a connection each, so that both get some
        assert httpx.post(f"{running.url}/remove?output=mask", content=samples["cat"], timeout=60).status_code == 200
        assert httpx.get(f"{running.url}/readyz", timeout=60).status_code == 200
    job = httpx.post(f"{running.url}/v1/jobs", content=samples["cat"], timeout=60).json()
    assert all(httpx.get(f"{running.url}/v1/jobs/{job['id']}", timeout=60).status_code == 200 for _ in range(10))
    counted = [
        line
        for line in httpx.get(f"{running.url}/metrics", timeout=60).text.splitlines()
        if line.startswith("alphacut_gateway_requests_total") and '"/remove"' in line
    ]
    assert counted
    assert counted[0].endswith(" 20.0")
    workers = workers_of(running)
    assert len(workers) == 2
    workers[0].kill()

    def is_replaced() -> bool:
        with contextlib.suppress(httpx.HTTPError, psutil.NoSuchProcess):
            others = [worker for worker in workers_of(running) if worker != workers[0]]
            return len(others) == 2 and httpx.get(f"{running.url}/healthz", timeout=60).status_code == 200
        return False

    wait_until("the start of another worker", is_replaced)
    status, log = running.end()
    assert status == 0, log
    _, left = psutil.wait_procs(workers, timeout=30)
    assert not left


def test_workers_without_a_place_for_jobs_are_refused(start_gateway: Any) -> None:
    refused = start_gateway("--url", "127.0.0.1:1", "--workers", "2")
    assert refused.url == ""
    status, log = refused.wait()
    assert "JOBS_FILE" in log
    assert status == 1


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("wrong", [{"JOBS_FILE": "/nonexistent/jobs.db"}, {"REDIS_URL": "127.0.0.1:6379"}])
def test_a_gateway_that_cannot_start_fails_with_one_line_and_no_address(
    start_gateway: Any, workers: str, wrong: dict[str, str]
) -> None:
    variables = {f"ALPHACUT_GATEWAY_{name}": text for name, text in wrong.items()}
    refused = start_gateway("--url", "127.0.0.1:1", "--workers", workers, **variables)
    assert refused.url == ""
    status, log = refused.wait()
    assert status == 1
    assert "Traceback" not in log
    assert len(log.splitlines()) == 1, log


def test_thousands_of_idle_connections_keep_nobody_out(
    start_gateway: Any, server_url: str, samples: dict[str, bytes]
) -> None:
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < 2 * N_IDLE + 200:
        pytest.skip(f"this system allows {allowed} open files a process, and {2 * N_IDLE + 200} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
    running = start_gateway(
        "--url",
        server_url,
        ALPHACUT_GATEWAY_MAX_CONNECTIONS=str(2 * N_IDLE),
        ALPHACUT_GATEWAY_HEAD_TIMEOUT_S="300",
    )
    host, port = running.url.removeprefix("http://").split(":")
    with contextlib.ExitStack() as stack:
        for _ in range(N_IDLE):
            stack.enter_context(socket.create_connection((host, int(port)), timeout=60))
        for _ in range(3):
            answer = httpx.post(f"{running.url}/remove?output=mask", content=samples["cat"], timeout=60)
            assert answer.status_code == 200
        assert len(psutil.Process(running.process.pid).net_connections()) > N_IDLE
    assert httpx.get(f"{running.url}/healthz", timeout=60).status_code == 200


def test_memory_stays_flat_while_three_times_as_much_is_offered_as_fits(
    start_gateway: Any, server_url: str, samples: dict[str, bytes]
) -> None:
    limit = 8
    running = start_gateway(
        "--url", server_url, ALPHACUT_GATEWAY_MAX_MEGAPIXELS_IN_FLIGHT=str(limit), ALPHACUT_GATEWAY_CACHE_BYTES="0"
    )
    process = psutil.Process(running.process.pid)
    photo = samples["cat"]
    statuses: list[int] = []
    stop = threading.Event()

    def offer() -> None:
        with httpx.Client(timeout=120) as client:
            while not stop.is_set():
                answer = client.post(f"{running.url}/remove?format=webp", content=photo)
                statuses.append(answer.status_code)
                if answer.status_code == 503:
                    assert int(answer.headers["retry-after"]) >= 1

    def peak(seconds: float) -> int:
        highest, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            highest = max(highest, process.memory_info().rss)
            time.sleep(0.05)  # samples a quantity that has no event
        return highest

    callers = [threading.Thread(target=offer) for _ in range(3 * limit)]
    for caller in callers:
        caller.start()
    first, second = peak(5), peak(5)
    stop.set()
    for caller in callers:
        caller.join()
    assert set(statuses) == {200, 503}
    assert second < 1.25 * first
    assert second < 700 * 2**20
