"""Pages of other origins: they may call where that is set up, and read every answer then."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

ORIGIN = "https://tools.example"


def test_pages_of_other_origins_read_every_answer(play: Any, predictor: Any, photo: bytes) -> None:
    predictor.error = RuntimeError("broken")

    async def scenario(client: httpx.AsyncClient) -> list[httpx.Response]:
        given = {"Origin": ORIGIN}
        return [
            await client.get("/healthz", headers=given),
            await client.get("/nowhere", headers=given),
            await client.get("/healthz", headers=given | {"x-long": "a" * 20_000}),
            await client.post("/remove", content=photo, headers=given),
        ]

    responses = play(scenario, cors_origins=(ORIGIN,))
    assert [response.status_code for response in responses] == [200, 404, 431, 500]
    for response in responses:
        assert response.headers["access-control-allow-origin"] == ORIGIN
        assert response.headers["access-control-expose-headers"] == "*"
        assert "x-request-id" in response.headers


@pytest.mark.parametrize("origin", ["https://other.example", ""])
def test_no_other_page_reads_anything(play: Any, origin: str) -> None:
    response = play(lambda client: client.get("/healthz", headers={"Origin": origin}), cors_origins=(ORIGIN,))
    assert "access-control-allow-origin" not in response.headers
