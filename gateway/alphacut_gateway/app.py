"""The application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from alphacut_client import AsyncClient
from alphacut_core.limits import Limits
from alphacut_gateway import faults
from alphacut_gateway.admission import Budget
from alphacut_gateway.cache import MaskCache
from alphacut_gateway.cutting import Cutting, Predictor
from alphacut_gateway.envelope import LOGGER, Envelope
from alphacut_gateway.gateway import Gateway
from alphacut_gateway.keys import Keys
from alphacut_gateway.metrics import Metrics
from alphacut_gateway.model import read_model
from alphacut_gateway.readiness import Readiness
from alphacut_gateway.removebg.allowance import Allowances
from alphacut_gateway.routes import page, rembg, remove, removebg, service
from alphacut_gateway.settings import Settings
from alphacut_gateway.threads import Threads


def create_app(settings: Settings, predictor: Predictor | None = None) -> FastAPI:
    """Return the gateway as an ASGI application.

    Args:
        settings: How it is set up.
        predictor: Where masks come from; None for the Triton of ``settings``.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            chosen = await stack.enter_async_context(_client(settings)) if predictor is None else predictor
            app.state.gateway = gateway = _gateway(settings, chosen, metrics)
            stack.callback(gateway.cutting.threads.close)
            if gateway.keys.open:
                LOGGER.warning("no API keys are configured: any key is accepted, and none is needed")
            yield

    # FastAPI's own pages of documentation load scripts from other hosts.
    app = FastAPI(title="Alphacut", summary="Background removal.", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.include_router(remove.router)
    app.include_router(rembg.router)
    app.include_router(removebg.router)
    app.include_router(service.router)
    app.include_router(page.router)
    faults.install(app)
    app.add_middleware(Envelope, metrics=metrics)
    return app


def _client(settings: Settings) -> AsyncClient:
    return AsyncClient(
        settings.triton_url,
        limits=_limits(settings),
        timeout_s=settings.timeout_s,
        retry_for_s=settings.retry_for_s,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(max_bytes=settings.max_bytes, max_pixels=settings.max_pixels)


def _gateway(settings: Settings, predictor: Predictor, metrics: Metrics) -> Gateway:
    model = read_model(settings.repository)
    cutting = Cutting(
        predictor=predictor,
        threads=Threads(settings.n_threads),
        cache=MaskCache(settings.cache_bytes),
        megapixels=Budget(settings.max_megapixels_in_flight, "megapixels"),
        limits=_limits(settings),
        model_version=model.version,
    )
    return Gateway(
        settings=settings,
        model=model,
        cutting=cutting,
        keys=Keys(settings.api_key_hashes),
        body_bytes=Budget(settings.max_bytes_in_flight, "bytes of uploads"),
        allowances=Allowances(settings.megapixels_per_minute),
        metrics=metrics,
        readiness=Readiness(predictor.health),
    )
