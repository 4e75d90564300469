"""Callers who leave: nobody's failure, and nothing more is done for them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from alphacut_gateway import Settings, create_app

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
