"""Envoy's end as docker-compose.yml has it: nothing that is under way is cut, and nobody new comes in."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from deployment import DEPLOY, compose, envoy, envoy_file, found

from alphacut_server.ports import free_ports
from tests.serving import served
from tests.waiting import wait_until

Start = Callable[[str, dict[str, Any], int], "subprocess.Popen[bytes]"]


def moved(file: dict[str, Any], *ports: int) -> dict[str, Any]:
    """``file`` on this machine's loopback, with ``ports`` for its administration and for its listeners, in order."""
    sockets = [each["address"]["socket_address"] for each in (file["admin"], *file["static_resources"]["listeners"])]
    for one, port in zip(sockets, ports, strict=True):
        one.update({"address": "127.0.0.1", "port_value": port})
    return file


def endpoint(file: dict[str, Any], cluster: str, port: int) -> dict[str, Any]:
    (meant,) = (each for each in file["static_resources"]["clusters"] if each["name"] == cluster)
    (one,) = found(meant["load_assignment"], "socket_address")
    one["port_value"] = port
    return file


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts an Envoy by the command of a service of compose, with a file of its own."""
    with contextlib.ExitStack() as running:

        def kill(process: subprocess.Popen[bytes]) -> None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        def started(service: str, file: dict[str, Any], port: int) -> subprocess.Popen[bytes]:
            path = tmp_path / "envoy.yaml"
            path.write_text(yaml.safe_dump(file))
            shell, script, longest_s, *_ = compose()["services"][service]["command"]
            admin_port = file["admin"]["address"]["socket_address"]["port_value"]
            words = [shell, DEPLOY / "envoy" / Path(script).name, longest_s, str(admin_port)]
            command = [
                *words,
                envoy(),
                "-c",
                path,
                "--log-level",
                "error",
                "--concurrency",
                "1",
                "--disable-hot-restart",
            ]
            process = running.enter_context(subprocess.Popen(command, start_new_session=True))
            running.callback(kill, process)
            wait_until("Envoy's start", lambda: listens(port))
            return process

        yield started


class SlowUpstream(ThreadingHTTPServer):
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.arrived, self.answers = threading.Event(), threading.Event()
        super().__init__(("127.0.0.1", 0), _SlowAnswer)


class _SlowAnswer(BaseHTTPRequestHandler):
    server: SlowUpstream
    protocol_version = "HTTP/1.1"

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
    with served(SlowUpstream()) as server:
        yield server
        server.answers.set()


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


@pytest.mark.parametrize("prefix", ["https", "grpcs", "grpc"])
def test_an_envoy_that_is_told_to_end_takes_nothing_more_and_answers_what_is_under_way(
    prefix: str, upstream: SlowUpstream, start: Start
) -> None:
    admin_port, port = free_ports(2)
    process = start("envoy", proxy(prefix, admin_port, port, upstream.server_port), port)
    with (
        ThreadPoolExecutor(1) as pool,
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as caller,
    ):
        caller.request("GET", "/")
        answer = pool.submit(caller.getresponse)
        assert upstream.arrived.wait(20)
        process.terminate()
        wait_until("the door's closing", lambda: not listens(port))
        assert process.poll() is None
        upstream.answers.set()
        assert answer.result(20).read() == b"answered"
        assert process.wait(20) == 0


def test_a_caller_who_was_between_two_requests_is_answered_once_more(upstream: SlowUpstream, start: Start) -> None:
    admin_port, port = free_ports(2)
    process = start("envoy", proxy("https", admin_port, port, upstream.server_port), port)
    upstream.answers.set()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as caller:
        caller.request("GET", "/")
        assert caller.getresponse().read() == b"answered"
        process.terminate()
        wait_until("the door's closing", lambda: not listens(port))
        caller.request("GET", "/")
        answer = caller.getresponse()
        assert (answer.read(), answer.getheader("connection")) == (b"answered", "close")
    assert process.wait(20) == 0


class SlowCalls(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Answers each call when the event of its name is set."""

    def __init__(self, *names: bytes) -> None:
        self.arrived = {name: threading.Event() for name in names}
        self.answers = {name: threading.Event() for name in names}

    def service(self, _: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(self._answer)

    def _answer(self, name: bytes, _: grpc.ServicerContext) -> bytes:
        self.arrived[name].set()
        self.answers[name].wait(60)
        return name


def test_the_door_of_the_embedded_triton_answers_all_calls_of_a_connection_before_it_ends(start: Start) -> None:
    names = (b"first", b"second")
    calls = SlowCalls(*names)
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool, handlers=[calls])
        admin_port, port, metrics_port = free_ports(3)
        file = moved(envoy_file("embedded.yaml"), admin_port, port, metrics_port)
        process = start("triton-embedded-door", endpoint(file, "triton", server.add_insecure_port("127.0.0.1:0")), port)
        server.start()
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
                first, second = (call.future(name, timeout=60) for name in names)
                assert all(calls.arrived[name].wait(20) for name in names)
                process.terminate()
                wait_until("the door's closing", lambda: not listens(port))
                calls.answers[b"first"].set()
                assert first.result() == b"first"
                assert process.poll() is None
                calls.answers[b"second"].set()
                assert second.result() == b"second"
            assert process.wait(20) == 0
        finally:
            for name in names:
                calls.answers[name].set()
            server.stop(None).wait()


@pytest.mark.parametrize(
    ("name", "file", "not_waited_for"),
    # What is not waited for are numbers that Prometheus asks for.
    [("envoy", "envoy.yaml", {"numbers"}), ("triton-embedded-door", "embedded.yaml", {"metrics"})],
)
def test_envoy_is_given_the_time_to_end_and_the_numbers_that_it_waits_for_are_its_listeners(
    name: str, file: str, not_waited_for: set[str]
) -> None:
    service = compose()["services"][name]
    _, script, longest_s, admin_port, *_ = service["command"]
    assert int(longest_s) + 10 <= int(service["stop_grace_period"].removesuffix("s"))
    assert envoy_file(file)["admin"]["address"]["socket_address"] == {
        "address": "127.0.0.1",
        "port_value": int(admin_port),
    }
    assert any(volume.split(":")[1] == script for volume in service["volumes"])
    (waited_for,) = re.findall(r"http\\\.\(([a-z|]+)\)", (DEPLOY / "envoy" / Path(script).name).read_text())
    listeners = envoy_file(file)["static_resources"]["listeners"]
    parts = [part for listener in listeners for part in found(listener, "typed_config")]
    managers = {part["stat_prefix"] for part in parts if part["@type"].endswith(".HttpConnectionManager")}
    assert managers - set(waited_for.split("|")) == not_waited_for
