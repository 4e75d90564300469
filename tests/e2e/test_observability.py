"""The deployment's own files at work: Envoy in front, Prometheus looking on, and every query of every dashboard."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "deploy" / "grafana"))

import stack as stacks
from engines_board import ENGINES
from panels import Panel
from service_board import SERVICE

from alphacut_client import Client, Tls
from alphacut_core.errors import UnavailableError
from tests.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.triton

PANELS = [(board.title, panel) for board in (SERVICE, ENGINES) for _, panels in board.rows for panel in panels]
SECONDS = "1m"
"""Stands for Grafana's ``$__rate_interval``: at least four scrapes."""


@pytest.fixture(scope="module")
def stack(server_url: str, server_metrics_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[stacks.Stack]:
    with stacks.running(tmp_path_factory.mktemp("stack"), server_url, server_metrics_url) as started:
        yield started


def send(stack: stacks.Stack, photo: bytes, client: httpx.Client, round_: int) -> None:
    """Good pictures, a known one, one that is none, and one straight to Triton."""
    headers = {"X-API-Key": stack.secret("api_key")}
    for number in range(2):  # two that no cache has: their last bytes lie behind the picture
        answer = client.post("/remove?format=webp", content=photo + bytes([round_, number]), headers=headers)
        assert answer.status_code == 200, answer.text
    assert client.post("/remove", content=photo, headers=headers).status_code == 200
    assert client.post("/remove", content=b"none at all", headers=headers).status_code == 415
    with Client(f"127.0.0.1:{stack.ports['grpc']}") as direct:
        assert direct.remove(photo).startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def busy(stack: stacks.Stack, samples: dict[str, bytes]) -> stacks.Stack:
    """After traffic that Prometheus saw the beginning and the end of: a rate needs two looks."""
    photo = min(samples.values(), key=len)
    counted = 'sum(alphacut_gateway_requests_total{route="/remove"})'
    failed = "sum(nv_inference_request_failure)"
    with stack.https() as client:
        for round_ in range(2):
            send(stack, photo, client, round_)
            sent = 4.0 * (round_ + 1)
            wait_until("the scrape", lambda sent=sent: [float(e["value"][1]) for e in stack.ask(counted)] == [sent])
    assert stack.ask(failed)
    wait_until("the rules", lambda: bool(stack.ask("alphacut:slow:ratio_rate3d >= 0")))
    return stack


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=[f"{board}-{panel.title}" for board, panel in PANELS])
def test_every_panel_has_its_data(busy: stacks.Stack, board: str, panel: Panel) -> None:
    answers = {query: busy.ask(query.promql.replace("$__rate_interval", SECONDS)) for query in panel.queries}
    for query, samples in answers.items():
        if query.needs == "traffic":
            assert samples, f"{board}, {panel.title}: {query.promql} has no answer"
            assert any(not math.isnan(float(sample["value"][1])) for sample in samples), query.promql
            labels = {name for sample in samples for name in sample["metric"]}
            assert all(
                f"{{{{{label}}}}}" not in query.legend or label in labels for label in ("model", "stage", "code")
            )
    if any(query.needs == "gpu" for query in panel.queries):
        pytest.skip(f"{panel.title}: Prometheus takes the query, and only Triton on a GPU can answer it")


def test_prometheus_evaluates_every_rule(busy: stacks.Stack) -> None:
    url = f"http://127.0.0.1:{busy.ports['prometheus']}/api/v1/rules"
    wait_until("the first evaluation of all rules", lambda: "unknown" not in health(url).values())
    assert set(health(url).values()) == {"ok"}
    assert len(health(url)) >= 20


def health(url: str) -> dict[str, str]:
    groups = httpx.get(url, timeout=PATIENCE_S, trust_env=False).json()["data"]["groups"]
    return {f"{rule['name']} {rule.get('labels')}": rule["health"] for group in groups for rule in group["rules"]}


def test_no_alert_fires_while_all_is_well(busy: stacks.Stack) -> None:
    assert busy.ask('ALERTS{alertstate="firing"}') == []


def test_the_sum_of_what_was_sent_is_what_is_counted(busy: stacks.Stack) -> None:
    assert [float(e["value"][1]) for e in busy.ask("sum(alphacut_gateway_errors_total)")] == [2.0]
    found = {e["metric"]["found"]: float(e["value"][1]) for e in busy.ask("alphacut_gateway_masks_total")}
    assert found == {"MISS": 5.0, "HIT": 1.0}


def test_the_metrics_are_for_prometheus_alone(stack: stacks.Stack) -> None:
    gateway = f"http://127.0.0.1:{stack.ports['gateway']}/metrics"
    assert httpx.get(gateway, trust_env=False).status_code == 401
    assert httpx.get(gateway, headers={"X-API-Key": stack.secret("api_key")}, trust_env=False).status_code == 403
    with stack.https() as client:
        assert client.get("/metrics").status_code == 404


def test_what_is_too_large_is_refused_in_the_gateways_shape(stack: stacks.Stack) -> None:
    with stack.https() as client:
        answer = client.post("/remove", content=bytes(25 * 2**20), headers={"X-API-Key": stack.secret("api_key")})
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "proxy-413"


def test_one_address_that_asks_too_often_is_told_to_wait_and_others_are_not(stack: stacks.Stack) -> None:
    with stacks.strict(stack, requests=5) as url, stack.https(url) as client, stack.https(url, "127.0.0.2") as other:
        answers = [client.get("/healthz") for _ in range(8)]
        assert [answer.status_code for answer in answers] == 5 * [200] + 3 * [429]
        assert other.get("/healthz").status_code == 200
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].json()["error"]["code"] == "proxy-429"


def test_the_client_reaches_triton_from_outside_with_a_certificate_only(
    stack: stacks.Stack, samples: dict[str, bytes]
) -> None:
    url, roots = f"localhost:{stack.ports['grpcs']}", stack.secrets / "client_ca"
    ours = Tls(roots, stack.secrets / "client_certificate", stack.secrets / "client_key")
    photo = min(samples.values(), key=len)
    with Client(url, tls=ours) as client:
        assert client.remove(photo).startswith(b"\x89PNG")
    with Client(url, tls=Tls(roots), retry_for_s=0) as stranger, pytest.raises(UnavailableError):
        stranger.remove(photo)


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("RepositoryModelUnload", service_pb2.RepositoryModelUnloadRequest(model_name="preprocess")),
        ("SystemSharedMemoryStatus", service_pb2.SystemSharedMemoryStatusRequest()),
        ("LogSettings", service_pb2.LogSettingsRequest()),
        ("TraceSetting", service_pb2.TraceSettingRequest()),
    ],
)
def test_nobody_changes_a_running_triton(stack: stacks.Stack, method: str, request_: object) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{stack.ports['grpc']}") as inside:
        with pytest.raises(grpc.RpcError) as refused:
            getattr(service_pb2_grpc.GRPCInferenceServiceStub(inside), method)(request_, timeout=60)
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


_CENTURY_S = 3e9


class Listener(service_pb2_grpc.GRPCInferenceServiceServicer):
    """A server that remembers what time its callers gave it."""

    def __init__(self) -> None:
        self.times_s: list[float] = []

    def ServerLive(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802  Triton's name
        self.times_s.append(context.time_remaining())
        return service_pb2.ServerLiveResponse(live=True)


def test_deadlines_that_can_crash_the_embedded_triton_end_at_its_door(tmp_path: Path) -> None:
    listener, server = Listener(), grpc.server(ThreadPoolExecutor(2))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(listener, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with stacks.door_before(tmp_path, f"127.0.0.1:{port}") as url:
            for target in (f"127.0.0.1:{port}", url):
                with grpc.insecure_channel(target) as channel:
                    stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
                    stub.ServerLive(service_pb2.ServerLiveRequest(), timeout=60, wait_for_ready=True)
    finally:
        server.stop(None).wait()
    direct_s, through_the_door_s = listener.times_s
    assert direct_s <= 60 < _CENTURY_S < through_the_door_s  # gRPC's way of saying for ever


def test_the_access_log_has_no_queries(busy: stacks.Stack) -> None:
    log = busy.secrets.parent / "envoy.log"

    def paths() -> set[str]:
        return {
            json.loads(line).get("path")
            for line in log.read_text().splitlines()
            if line.startswith('{"') and line.endswith("}")
        }

    wait_until("a picture in the log, which Envoy writes now and then", lambda: "/remove" in paths())
    assert "format=" not in log.read_text()
