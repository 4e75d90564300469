"""Health, readiness, models, numbers, and the OpenAPI document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from alphacut_core.errors import ContractError, UnavailableError
from alphacut_gateway.model import read_model
from alphacut_gateway.readiness import Readiness


def test_readiness_is_a_real_inference_remembered_for_a_second(play: Any, predictor: Any) -> None:
    async def scenario(client: httpx.AsyncClient) -> list[int]:
        return [(await client.get("/readyz")).status_code for _ in range(3)]

    assert play(scenario) == [200, 200, 200]
    assert predictor.n_health == 1


def test_readiness_fails_with_the_server_and_health_does_not(play: Any, predictor: Any) -> None:
    predictor.error = UnavailableError("gone")

    async def scenario(client: httpx.AsyncClient) -> tuple[int, int]:
        return (await client.get("/readyz")).status_code, (await client.get("/healthz")).status_code

    assert play(scenario) == (503, 200)


def test_readiness_asks_again_after_a_second(play: Any, predictor: Any) -> None:
    now = 0.0

    async def scenario(_client: httpx.AsyncClient) -> None:
        nonlocal now
        readiness = Readiness(predictor.health, lambda: now)
        await readiness.check()
        now = 0.9
        await readiness.check()
        assert predictor.n_health == 1
        now = 1.1
        predictor.error = UnavailableError("gone")
        with pytest.raises(UnavailableError):
            await readiness.check()

    play(scenario)


def test_metrics_count_requests_by_route_and_masks_by_where_they_came_from(play: Any, photo: bytes) -> None:
    async def scenario(client: httpx.AsyncClient) -> str:
        await client.post("/remove", content=photo)
        await client.post("/remove", content=photo)
        await client.get("/no/such/path/at/all")
        return (await client.get("/metrics")).text

    text = play(scenario)
    assert 'alphacut_gateway_requests_total{method="POST",route="/remove",status="200"} 2.0' in text
    assert 'route="unmatched",status="404"' in text
    assert 'alphacut_gateway_masks_total{found="HIT"} 1.0' in text
    assert 'alphacut_gateway_stage_seconds_count{stage="inference"} 2.0' in text


def test_models_are_described_by_their_manifest(play: Any, tmp_path: Path) -> None:
    folder = tmp_path / "u2netp" / "1"
    folder.mkdir(parents=True)
    manifest = {"size": 320, "key": "abc", "precision": "int8", "recipe": {"licence": "Apache-2.0"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "gate.json").write_text('{"mean_iou": 0.99}')
    (model,) = play(lambda client: client.get("/v1/models"), repository=tmp_path).json()["models"]
    assert model["precision"] == "int8"
    assert model["licence"] == "Apache-2.0"
    assert model["gate"] == {"mean_iou": 0.99}


def test_a_damaged_manifest_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="manifest"):
        read_model(tmp_path)


def test_the_openapi_document_declares_the_errors_of_every_image_route(play: Any) -> None:
    document = play(lambda client: client.get("/openapi.json")).json()
    declared = set(document["paths"]["/remove"]["post"]["responses"])
    assert declared >= {
        "200",
        "304",
        "400",
        "401",
        "408",
        "413",
        "415",
        "422",
        "429",
        "500",
        "501",
        "502",
        "503",
        "504",
    }


@pytest.mark.parametrize(("headers", "query"), [({"x-long": "a" * 20_000}, ""), ({}, "a" * 20_000)])
def test_a_head_that_is_too_long_is_refused_whole(play: Any, headers: dict[str, str], query: str) -> None:
    response = play(lambda client: client.get(f"/healthz?{query}", headers=headers))
    assert response.status_code == 431
    assert response.json()["error"]["code"] == "head-too-long"
