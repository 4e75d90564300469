"""Callers who leave: nobody's failure, and nothing more is done for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from alphacut_gateway import Settings, create_app

KEY = (b"x-api-key", b"any")
FORM = (
    b"--x\r\nContent-Disposition: form-data; name=image_file; filename=a\r\n\r\n",
    b"\r\n--x--\r\n",
)


class Caller:
    """Sends a body, or the beginning of one, and leaves when it is told to, before the answer."""

    def __init__(self, body: bytes, *, whole: bool) -> None:
        self.messages = [{"type": "http.request", "body": body, "more_body": not whole}]
        self.leave = asyncio.Event()
        self.answers: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if self.messages:
            return self.messages.pop()
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.answers.append(message)

    async def call(self, app: Any, path: str, *headers: tuple[bytes, bytes]) -> None:
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": list(headers),
        }
        await app(scope, self.receive, self.send)


@pytest.mark.parametrize(
    ("path", "wrap", "headers"),
    [
        ("/remove", lambda photo: photo, ()),
        ("/api/remove", lambda photo: photo, ()),
        (
            "/v1.0/removebg",
            lambda photo: FORM[0] + photo + FORM[1],
            (KEY, (b"content-type", b"multipart/form-data; boundary=x")),
        ),
    ],
)
def test_what_is_made_for_one_who_leaves_is_given_up(
    predictor: Any, photo: bytes, path: str, wrap: Callable[[bytes], bytes], headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    async def scenario() -> None:
        predictor.gate = asyncio.Event()
        caller, app = Caller(wrap(photo), whole=True), create_app(Settings(), predictor)
        async with app.router.lifespan_context(app):
            calling = asyncio.ensure_future(caller.call(app, path, *headers))
            await asyncio.wait(
                [calling, asyncio.ensure_future(predictor.arrived.wait())], return_when="FIRST_COMPLETED"
            )
            assert not calling.done()
            caller.leave.set()
            await asyncio.wait_for(calling, 10)
            assert predictor.cancelled == 1
            assert caller.answers == []
            assert app.state.gateway.cutting.megapixels.held == app.state.gateway.body_bytes.held == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", [b"application/octet-stream", b"multipart/form-data; boundary=x"])
def test_an_upload_that_is_broken_off_is_no_failure_of_the_server(
    predictor: Any, photo: bytes, kind: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def scenario() -> str:
        caller, app = Caller(FORM[0] + photo, whole=False), create_app(Settings(), predictor)
        caller.leave.set()
        async with app.router.lifespan_context(app):
            await caller.call(app, "/remove", (b"content-type", kind))
            assert caller.answers == []
            assert app.state.gateway.body_bytes.held == 0
            return str(app.state.gateway.metrics.exposition().decode())

    numbers = asyncio.run(scenario())
    assert 'alphacut_gateway_requests_total{method="POST",route="/remove",status="499"} 1.0' in numbers
    assert 'alphacut_gateway_errors_total{code="caller-left"} 1.0' in numbers
    assert [record.levelname for record in caplog.records if record.exc_info] == []
