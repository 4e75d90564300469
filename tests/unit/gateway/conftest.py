"""The application in this process, with a predictor that can be told to fail, hang or count."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest
from PIL import Image

from alphacut_client import Health, InstalledModel, Prediction
from alphacut_core.errors import AlphacutError
from alphacut_core.tiers import MODES, Mode
from alphacut_gateway import Settings, create_app

Scenario = Callable[[httpx.AsyncClient], Awaitable[Any]]
_Result = TypeVar("_Result")


def installed(mode: Mode = "full", identity: str = "a1", **facts: str) -> InstalledModel:
    return InstalledModel.from_facts({"model": "u2netp", "tier": mode, "engine_sha256": identity, **facts})


class Predictor:
    """Calls the left half of every picture the subject."""

    def __init__(self) -> None:
        self.pictures: list[Image.Image] = []
        self.asked: list[tuple[str, str]] = []
        self.identity = "a1"
        self.tiers: tuple[Mode, ...] = MODES
        self.facts: dict[str, str] = {}
        self.error: AlphacutError | None = None
        self.away: AlphacutError | None = None
        self.arrived = asyncio.Event()
        self.gate: asyncio.Event | None = None
        self.n_health = 0
        self.cancelled = 0
        self.confidence = 0.9

    async def predict(self, image: Image.Image, *, model: str, mode: str, priority: str) -> Prediction:
        self.asked.append((model, mode))
        self.pictures.append(image)
        self.arrived.set()
        if self.gate is not None:
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        if self.error is not None:
            raise self.error
        mask = np.zeros((320, 320), np.uint8)
        mask[:, :160] = 255
        return Prediction(mask, self.confidence)

    async def health(self) -> Health:
        self.n_health += 1
        if self.error is not None:
            raise self.error
        return Health("fake 1", 0.01, 0.9)

    async def models(self) -> list[InstalledModel]:
        if self.away is not None:
            raise self.away
        return [installed(mode, self.identity, **self.facts) for mode in self.tiers]


@asynccontextmanager
async def connected(predictor: Predictor, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running application."""
    app = create_app(Settings(**settings), predictor)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://gw") as client:
        yield client


@pytest.fixture
def predictor() -> Predictor:
    return Predictor()


@pytest.fixture
def play(predictor: Predictor) -> Callable[..., Any]:
    """Run a scenario against the application and return what it returns."""

    def run(scenario: Callable[[httpx.AsyncClient], Awaitable[_Result]], **settings: Any) -> _Result:
        async def everything() -> _Result:
            async with connected(predictor, **settings) as client:
                return await scenario(client)

        return asyncio.run(everything())

    return run


@pytest.fixture
def post(play: Callable[..., Any]) -> Callable[..., httpx.Response]:
    """Post once."""

    def run(url: str, settings: dict[str, Any] | None = None, **arguments: Any) -> httpx.Response:
        return play(lambda client: client.post(url, **arguments), **(settings or {}))

    return run


def png(width: int = 40, height: int = 20, color: tuple[int, ...] = (200, 30, 40)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), color).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def photo() -> bytes:
    return png()
