"""Health, readiness, models, numbers, and the OpenAPI document."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from alphacut_client import InstalledModel
from alphacut_core.errors import UnavailableError
from alphacut_gateway.catalogue import Catalogue
from alphacut_gateway.readiness import Readiness
from alphacut_gateway.tier import Tier


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


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/docs", "/healthz", "/readyz", "/assets/app.js", "/v1/models", "/metrics", "/openapi.json"),
        *("/v1/jobs/{}", "/v1/jobs/{}/result"),
    ],
)
def test_what_is_looked_at_can_be_looked_for(play: Any, photo: bytes, path: str) -> None:
    async def scenario(client: httpx.AsyncClient) -> list[int]:
        job = (await client.post("/v1/jobs", content=photo)).json()["id"] if "{}" in path else ""
        while job and (await client.get(f"/v1/jobs/{job}")).json()["state"] != "done":
            await asyncio.sleep(0.01)
        return [(await client.request(method, path.format(job))).status_code for method in ("HEAD", "GET")]

    assert play(scenario) == [200, 200]


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
        await client.request("X-ANY-1", "/healthz")
        return (await client.get("/metrics")).text

    text = play(scenario)
    assert 'alphacut_gateway_requests_total{method="POST",route="/remove",status="200"} 2.0' in text
    assert 'route="unmatched",status="404"' in text
    assert 'method="other",route="/healthz",status="405"' in text
    assert "X-ANY" not in text
    assert 'alphacut_gateway_masks_total{found="HIT"} 1.0' in text
    assert 'alphacut_gateway_stage_seconds_count{stage="inference"} 2.0' in text


def test_models_are_described_by_what_the_server_says_of_them(play: Any, predictor: Any) -> None:
    predictor.tiers = ("full", "lite")
    predictor.facts = {"licence": "Apache-2.0", "precision": "int8", "size": "160", "mean_iou": "0.991"}
    predictor.facts |= {"pictures": "300", "native_size": "320"}
    models = play(lambda client: client.get("/v1/models")).json()["models"]
    assert [(model["name"], model["mode"]) for model in models] == [("u2netp", "full"), ("u2netp", "lite")]
    assert (models[1]["licence"], models[1]["precision"], models[1]["size"]) == ("Apache-2.0", "int8", 160)
    assert (models[1]["mean_iou"], models[1]["time_ms"], models[1]["machine"]) == (0.991, None, None)
    counts = [models[1][name] for name in ("pictures", "native_size", "iou_p1")]
    assert counts == [300, 320, None]
    assert [type(count) for count in counts[:2]] == [int, int]


def test_what_is_served_is_asked_again_after_two_seconds_and_remembered_while_nobody_answers() -> None:
    now, asked = 0.0, 0
    answer = [InstalledModel.from_facts({"engine_sha256": "a"})]
    away: UnavailableError | None = None

    async def ask() -> list[InstalledModel]:
        nonlocal asked
        asked += 1
        if away is not None:
            raise away
        return answer

    async def scenario() -> None:
        nonlocal now, answer, away
        catalogue = Catalogue(ask, lambda: now)
        first = await catalogue.engine(Tier())
        assert await catalogue.engine(Tier()) == first
        assert asked == 1
        now, answer = 2.0, [InstalledModel.from_facts({"engine_sha256": "b"})]
        second = await catalogue.engine(Tier())
        assert second.identity != first.identity
        now, away = 4.0, UnavailableError("gone")
        assert await catalogue.engine(Tier()) == second
        with pytest.raises(UnavailableError):
            await Catalogue(ask, lambda: now).engines()

    asyncio.run(scenario())


def test_a_server_that_hangs_keeps_nobody_waiting_who_can_be_served_without_it() -> None:
    now, hanging, answers = 0.0, asyncio.Event(), iter("ab")

    async def ask() -> list[InstalledModel]:
        if now:
            await hanging.wait()
        return [InstalledModel.from_facts({"engine_sha256": next(answers)})]

    async def scenario() -> None:
        nonlocal now
        catalogue = Catalogue(ask, lambda: now)
        first = await catalogue.engine(Tier())
        now = 100.0
        waiting = [asyncio.ensure_future(catalogue.engine(Tier())) for _ in range(3)]
        assert await asyncio.wait_for(asyncio.gather(*waiting), 10) == [first] * 3
        now = 101.0  # its moment is over
        impatient = asyncio.ensure_future(catalogue.engine(Tier()))
        for _ in range(5):
            await asyncio.sleep(0)
        assert impatient.result() == first
        hanging.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (await catalogue.engine(Tier())).identity != first.identity

    asyncio.run(scenario())


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


def test_the_openapi_document_says_where_a_key_is_looked_at_and_what_becomes_of_one_without(play: Any) -> None:
    document = play(lambda client: client.get("/openapi.json")).json()
    assert {each.get("name", each.get("scheme")) for each in document["components"]["securitySchemes"].values()} == {
        "X-API-Key",
        "bearer",
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            looks = path not in ("/v1/models", "/healthz", "/readyz")
            assert len(operation.get("security", [])) == (2 if looks else 0), path
            refused = "403" if path.startswith("/v1.0/") else "401"
            assert (refused in operation["responses"]) == looks, path
            assert path == "/metrics" or ("429" in operation["responses"]) == looks, path


@pytest.mark.parametrize(
    ("operation", "names"),
    [
        ("post /remove", {"X-Request-Timeout-Ms", "If-None-Match"}),
        ("post /api/remove", {"X-Request-Timeout-Ms", "If-None-Match"}),
        ("get /api/remove", {"X-Request-Timeout-Ms", "If-None-Match"}),
        ("post /v1.0/removebg", {"X-Request-Timeout-Ms"}),
        ("post /v1/jobs", {"Idempotency-Key"}),
        ("post /v1/batch", set()),
    ],
)
def test_the_openapi_document_names_the_headers_that_are_looked_at(play: Any, operation: str, names: set[str]) -> None:
    document = play(lambda client: client.get("/openapi.json")).json()
    method, path = operation.split()
    parameters = document["paths"][path][method].get("parameters", [])
    found = [each["name"].lower() for each in parameters if each["in"] == "header"]
    assert sorted(found) == sorted(name.lower() for name in names)


@pytest.mark.parametrize(("headers", "query"), [({"x-long": "a" * 20_000}, ""), ({}, "a" * 20_000)])
def test_a_head_that_is_too_long_is_refused_whole(play: Any, headers: dict[str, str], query: str) -> None:
    response = play(lambda client: client.get(f"/healthz?{query}", headers=headers))
    assert response.status_code == 431
    assert response.json()["error"]["code"] == "head-too-long"
