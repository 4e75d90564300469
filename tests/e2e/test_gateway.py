"""The gateway as its users start it, in front of the real Triton."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import socket
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from PIL import Image

from alphacut_client import Client

pytestmark = pytest.mark.triton


@pytest.fixture(scope="module")
def http(gateway: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway, timeout=60) as client:
        yield client


@pytest.mark.parametrize("color", ["straight", "rembg"])
def test_the_gateway_makes_the_clients_very_bytes(
    http: httpx.Client, server_url: str, samples: dict[str, bytes], color: str
) -> None:
    with Client(server_url) as client:
        expected = client.remove(samples["cat"], color=color)
    response = http.post(f"/remove?color={color}", files={"file": samples["cat"]})
    assert response.status_code == 200, response.text
    assert response.content == expected


def test_a_mask_has_the_pictures_size(http: httpx.Client, samples: dict[str, bytes]) -> None:
    response = http.post("/remove?output=mask&decode=fast", content=samples["rocket"])
    with Image.open(io.BytesIO(response.content)) as mask, Image.open(io.BytesIO(samples["rocket"])) as photo:
        assert mask.mode == "L"
        assert mask.size == photo.size


def test_a_second_background_is_served_from_the_mask_in_memory(http: httpx.Client, samples: dict[str, bytes]) -> None:
    http.post("/remove", content=samples["dahlia"])
    assert http.post("/remove?bg=blue", content=samples["dahlia"]).headers["x-cache"] == "HIT"


def test_the_gateway_is_ready_and_says_what_it_serves(http: httpx.Client) -> None:
    assert http.get("/readyz").json()["status"] == "ready"
    models = {model["mode"]: model for model in http.get("/v1/models").json()["models"] if model["name"] == "u2netp"}
    assert [(mode, models[mode]["size"]) for mode in ("full", "medium", "lite")] == [
        ("full", 320),
        ("medium", 256),
        ("lite", 160),
    ]
    for model in models.values():
        assert model["licence"] == "Apache-2.0"
        assert 0.5 < model["mean_iou"] <= 1
        assert model["time_ms"] > 0
        assert len(model["engine_sha256"]) == 64


def test_a_faster_tier_makes_a_mask_of_its_own(http: httpx.Client, samples: dict[str, bytes]) -> None:
    masks = {
        mode: http.post(f"/remove?output=mask&mode={mode}", content=samples["cat"])
        for mode in ("full", "medium", "fast")
    }
    assert [masks[mode].headers["x-alphacut-mode"] for mode in masks] == ["full", "medium", "lite"]
    assert len({mask.content for mask in masks.values()}) == 3


def test_alone_it_brings_its_own_triton_and_ctrl_c_ends_all(
    start_gateway: Any, repository: Path, samples: dict[str, bytes]
) -> None:
    running = start_gateway("--repository", str(repository))
    assert running.url, running.end()[1]
    everything = psutil.Process(running.process.pid).children(recursive=True)
    assert any(child.name() == "tritonserver" for child in everything)
    assert httpx.post(f"{running.url}/remove", content=samples["cat"], timeout=60).status_code == 200
    status, log = running.end()
    assert status == 0, log
    _, alive = psutil.wait_procs(everything, timeout=10)
    assert not alive


def test_an_open_gateway_is_not_exposed_to_the_network(start_gateway: Any) -> None:
    refused = start_gateway("--url", "127.0.0.1:1", "--host", "0.0.0.0")  # noqa: S104  what is refused
    assert refused.url == ""
    status, log = refused.wait()
    assert "without API keys" in log
    assert status == 1


def test_giant_headers_are_refused(gateway: str) -> None:
    host, port = gateway.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: gateway\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 4")


def test_a_decompression_bomb_is_refused_before_it_is_decoded(http: httpx.Client) -> None:
    buffer = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(buffer, "PNG")
    response = http.post("/remove", content=buffer.getvalue())
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "image-too-large"


def test_remove_bgs_contract_holds_end_to_end(http: httpx.Client, samples: dict[str, bytes]) -> None:
    response = http.post(
        "/v1.0/removebg",
        headers={"X-API-Key": "any", "Accept": "application/json"},
        files={"image_file": samples["cat"]},
        data={"size": "auto", "crop": "true"},
    )
    assert response.status_code == 200, response.text
    assert set(response.json()["data"]) >= {"result_b64", "foreground_top", "foreground_width"}


def test_silent_and_slow_connections_are_closed_and_hold_nobody_up(start_gateway: Any, server_url: str) -> None:
    running = start_gateway("--url", server_url, ALPHACUT_GATEWAY_HEAD_TIMEOUT_S="1")
    host, port = running.url.removeprefix("http://").split(":")
    connections = [socket.create_connection((host, int(port)), timeout=30) for _ in range(300)]
    for connection in connections[::2]:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
    assert httpx.get(f"{running.url}/healthz").status_code == 200
    for connection in connections:
        with connection:
            assert connection.recv(1) == b""


def curl_lines() -> list[str]:
    """The commands of the READMEs."""
    root = Path(__file__).resolve().parents[2]
    texts = [(root / name).read_text() for name in ("README.md", "gateway/README.md")]
    blocks = [block for text in texts for block in re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]
    return list(dict.fromkeys(line for block in blocks for line in block.splitlines() if line.startswith("curl ")))


@pytest.mark.parametrize("line", curl_lines())
def test_a_curl_line_of_the_readme_works(gateway: str, samples: dict[str, bytes], tmp_path: Path, line: str) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("found no curl on PATH")
    (tmp_path / "photo.jpg").write_bytes(samples["cat"])
    words = shlex.split(line.replace("http://127.0.0.1:8080", gateway))
    subprocess.run([curl, "--fail", "--silent", "--show-error", *words[1:]], cwd=tmp_path, check=True, timeout=120)
    answer = tmp_path / words[words.index("-o") + 1]
    kind = answer.suffix[1:]
    if kind == "json":
        assert json.loads(answer.read_text())
    elif kind == "zip":
        with zipfile.ZipFile(answer) as archive:
            assert "manifest.json" in archive.namelist()
            assert len(archive.namelist()) == 3
    else:
        with Image.open(answer) as picture:
            assert picture.format == kind.upper()


def test_the_readme_has_curl_lines() -> None:
    assert len(curl_lines()) >= 9


def test_a_picture_that_is_also_a_page_and_a_zip_stays_a_picture(http: httpx.Client, samples: dict[str, bytes]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("evil.html", "<script>alert(1)</script>")
    polyglot = samples["cat"] + b"<html><script>alert(1)</script></html>" + buffer.getvalue()
    response = http.post("/remove", files={"file": ("a.html", polyglot, "text/html")})
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert b"script" not in response.content
    # As a batch it is taken for what it says it is.
    batch = http.post("/v1/batch", content=polyglot, headers={"Content-Type": "application/zip"})
    with zipfile.ZipFile(io.BytesIO(batch.content)) as archive:
        (told,) = json.loads(archive.read("manifest.json"))["images"]
    assert told["error"]["code"] == "image-unsupported"
