"""Errors in the numbers: by their code, whichever route and shape they were answered in."""

from __future__ import annotations

import re
from typing import Any

import httpx

from alphacut_core.errors import UnavailableError


def counted(text: str) -> dict[str, float]:
    return {code: float(n) for code, n in re.findall(r'alphacut_gateway_errors_total\{code="([^"]+)"\} (\S+)', text)}


def test_errors_are_counted_by_their_code(play: Any, photo: bytes) -> None:
    async def scenario(client: httpx.AsyncClient) -> tuple[list[str], str]:
        answers = [
            await client.post("/remove", content=b"no picture at all"),
            await client.post("/remove?format=tiff", content=photo),
            await client.get("/no/such/path"),
        ]
        return [answer.json()["error"]["code"] for answer in answers], (await client.get("/metrics")).text

    codes, text = play(scenario)
    assert counted(text) == {code: float(codes.count(code)) for code in codes}
    assert len(set(codes)) == 3


def test_errors_in_the_shape_of_remove_bg_are_counted_too(play: Any, photo: bytes) -> None:
    async def scenario(client: httpx.AsyncClient) -> str:
        await client.get("/v1.0/account")  # without a key
        files, headers = {"image_file": photo}, {"X-API-Key": "any"}
        await client.post("/v1.0/removebg", files=files, data={"size": "huge"}, headers=headers)
        return (await client.get("/metrics")).text

    assert counted(play(scenario)) == {"unauthorized": 1.0, "removebg": 1.0}


def test_failures_of_the_server_are_counted_and_successes_are_not(play: Any, predictor: Any, photo: bytes) -> None:
    async def scenario(client: httpx.AsyncClient) -> tuple[str, str]:
        await client.post("/remove", content=photo)
        before = (await client.get("/metrics")).text
        predictor.error = UnavailableError("gone")
        await client.post("/remove?output=mask", content=photo[:-2] + b"\0\0")
        return before, (await client.get("/metrics")).text

    before, after = play(scenario)
    assert counted(before) == {}
    assert counted(after) == {UnavailableError.code: 1.0}
