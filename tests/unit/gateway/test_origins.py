"""Pages of other origins: they may call where that is set up, and read every answer then."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from alphacut_gateway import Settings

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


@pytest.mark.parametrize(
    ("origin", "advice"),
    [
        ("https://tools.example/", "give https://tools.example$"),
        ("https://tools.example/cutouts", "give https://tools.example$"),
        ("HTTPS://Tools.Example:8443", "give https://tools.example:8443$"),
        ("https://tools.example:443", "give https://tools.example$"),
        ("http://[::1]:80/", r"give http://\[::1\]$"),
        ("https://me@tools.example", "give https://tools.example$"),
        ("tools.example", "give scheme, host and port"),
        ("https://*.tools.example", "give scheme, host and port"),
        ("https://", "give scheme, host and port"),
        ("https://[tools", "give scheme, host and port"),
    ],
)
def test_an_origin_that_no_browser_sends_is_refused_with_the_one_it_does(origin: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        Settings(cors_origins=(origin,))


@pytest.mark.parametrize(
    "origin",
    ["*", "null", ORIGIN, "http://localhost:3000", "http://[::1]:8080", "app://local", "https://xn--bcher-kva.example"],
)
def test_an_origin_as_browsers_send_it_is_accepted(origin: str) -> None:
    assert Settings(cors_origins=(origin,)).cors_origins == (origin,)
