"""The worker of docker-compose.yml with its Redis and its health check, from the files that the containers run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from alphacut_server.ports import free_ports
from tests.waiting import PATIENCE_S, wait_until

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The worker's, for a Redis on this machine."""
    folder = tmp_path / "secrets"
    subprocess.run([DEPLOY / "secrets.sh", folder], check=True, capture_output=True)
    (port,) = free_ports(1)
    url = (folder / "redis_url").read_text().replace("@redis:6379", f"@127.0.0.1:{port}")
    (folder / "alphacut_gateway_redis_url").write_text(url)
    (folder / "port").write_text(str(port))
    configuration = (DEPLOY / "redis.conf").read_text().replace("dir /data", f"dir {tmp_path}")
    (folder / "redis.conf").write_text(configuration)
    return folder


@pytest.fixture
def variables(secrets: Path) -> dict[str, str]:
    return {**os.environ, "SECRETS": str(secrets), "CONFIGURATION": str(secrets / "redis.conf")}


@pytest.fixture
def redis(secrets: Path, variables: dict[str, str]) -> Iterator[None]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed; run: apt-get install redis-server")
    command = ["sh", DEPLOY / "redis.sh", "--port", (secrets / "port").read_text()]
    with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL) as process:
        yield
        process.terminate()


def health(variables: dict[str, str]) -> int:
    command = ["sh", DEPLOY / "with-secrets.sh", sys.executable, DEPLOY / "worker_health.py"]
    return subprocess.run(command, env=variables, capture_output=True, check=False).returncode


@pytest.mark.usefixtures("redis")
def test_a_worker_is_healthy_while_it_takes_jobs(tmp_path: Path, variables: dict[str, str]) -> None:
    alphacut = (sys.executable, "-m", "alphacut_client", "worker", "--url", "127.0.0.1:1", "--processes", "1")
    with ExitStack() as stack:
        log = stack.enter_context((tmp_path / "worker.log").open("wb"))
        command = ["sh", DEPLOY / "with-secrets.sh", *alphacut]
        worker = stack.enter_context(subprocess.Popen(command, env=variables, stdout=log, stderr=log))
        stack.callback(worker.terminate)

        def is_healthy() -> bool:
            assert worker.poll() is None, (tmp_path / "worker.log").read_text()
            return health(variables) == 0

        wait_until("the worker's good health", is_healthy)
        worker.terminate()
        assert worker.wait(PATIENCE_S) == 0
        assert health(variables) == 1
