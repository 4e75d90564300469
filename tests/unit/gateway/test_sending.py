"""Answers that are made and not yet fetched: they count as under way, and work is not begun while they are too many."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import time
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from alphacut_core import codec
from alphacut_gateway import Settings, create_app

URL = "/v1/batch"
NOISE = codec.encode_png(Image.fromarray(np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)))
"""A picture whose cut-out takes hundreds of kilobytes."""


class Slow:
    """A caller who fetches the first piece of an answer, and the rest when it is told to."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._asked = False
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.left = asyncio.Event()
        self.answers: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self.body}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message.get("body"):
            self.begun.set()
            await self.go_on.wait()
        self.answers.append(message)

    @property
    def fetched(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.answers)

    async def call(self, method: str, path: str, body: bytes = b"") -> None:
        self.body = body
        scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode()}
        await self._app({**scope, "query_string": b"", "headers": []}, self.receive, self.send)


def packed(*pictures: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, content in enumerate(pictures):
            archive.writestr(f"{number}.png", content)
    return buffer.getvalue()


@asynccontextmanager
async def served(predictor: Any, **settings: Any) -> AsyncIterator[tuple[Any, httpx.AsyncClient]]:
    """The application, with room for little, and somebody who fetches at once."""
    app = create_app(Settings(max_answer_bytes_in_flight=100_000, **settings), predictor)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://gw") as client:
        yield app, client


def held(app: Any) -> float:
    return float(app.state.gateway.answer_bytes.held)


@pytest.mark.parametrize("path", ["/remove", "/api/remove", URL])
def test_an_answer_that_nobody_fetches_keeps_others_from_being_begun(predictor: Any, photo: bytes, path: str) -> None:
    body = packed(NOISE) if path == URL else NOISE

    async def scenario() -> None:
        async with served(predictor) as (app, client):
            slow = Slow(app)
            fetching = asyncio.ensure_future(slow.call("POST", path, body))
            await slow.begun.wait()
            assert held(app) > 100_000
            refused = await client.post(path, content=photo)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert refused.json()["error"]["code"] == "busy"
            assert "bytes of answers" in refused.json()["error"]["message"]
            assert (await client.get("/healthz")).status_code == 200
            slow.go_on.set()
            await fetching
            assert held(app) == 0
            whole = await client.post(path, content=body)
            assert whole.status_code == 200
            if path != URL:  # a zip says when it was made
                assert slow.fetched == whole.content

    asyncio.run(scenario())


def test_a_result_is_not_brought_while_others_are_not_fetched(predictor: Any) -> None:
    async def scenario() -> None:
        async with served(predictor) as (app, client):
            result = f"/v1/jobs/{(await client.post('/v1/jobs', content=NOISE)).json()['id']}/result"
            while (await client.get(result)).status_code == 409:
                await asyncio.sleep(0.01)
            slow = Slow(app)
            fetching = asyncio.ensure_future(slow.call("GET", result))
            await slow.begun.wait()
            assert (await client.get(result)).status_code == 503
            slow.go_on.set()
            await fetching
            assert (await client.get(result)).content == slow.fetched

    asyncio.run(scenario())


def test_answers_of_a_batch_count_while_they_wait_for_one_that_is_not_fetched(predictor: Any) -> None:
    async def scenario() -> None:
        async with served(predictor, threads=2) as (app, client):
            n_bytes = len((await client.post("/remove", content=NOISE)).content)
            slow = Slow(app)
            fetching = asyncio.ensure_future(slow.call("POST", URL, packed(NOISE, NOISE, NOISE)))
            await slow.begun.wait()
            while held(app) < 3 * n_bytes:
                await asyncio.sleep(0.01)
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)
            assert held(app) == 0

    asyncio.run(scenario())


def test_how_slowly_an_answer_is_fetched_is_no_part_of_how_long_it_took(
    predictor: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "alphacut.gateway")

    async def scenario() -> float:
        async with served(predictor) as (app, _):
            slow = Slow(app)
            started = time.perf_counter()
            fetching = asyncio.ensure_future(slow.call("POST", "/remove", NOISE))
            await slow.begun.wait()
            made_ms = 1000 * (time.perf_counter() - started)
            await asyncio.sleep(0.2)  # what makes it slow
            slow.go_on.set()
            await fetching
            return made_ms

    made_ms = asyncio.run(scenario())
    (line,) = [json.loads(record.getMessage()) for record in caplog.records if '"request"' in record.getMessage()]
    assert line["ms"] <= made_ms + 0.1  # it is rounded
