"""The application."""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from alphacut_gateway import assembly, faults
from alphacut_gateway.admission import Budget
from alphacut_gateway.allowance import Allowances
from alphacut_gateway.cutting import Predictor
from alphacut_gateway.deadline import Pace
from alphacut_gateway.envelope import LOGGER, Envelope
from alphacut_gateway.fetching.allowed import Allowed
from alphacut_gateway.fetching.calling import Caller
from alphacut_gateway.gateway import Gateway
from alphacut_gateway.guard import Guard
from alphacut_gateway.keys import Keys
from alphacut_gateway.metrics import Metrics
from alphacut_gateway.readiness import Readiness
from alphacut_gateway.routes import batch, jobs, page, rembg, remove, removebg, service
from alphacut_gateway.sending import Sending
from alphacut_gateway.settings import Settings


def create_app(settings: Settings, predictor: Predictor | None = None) -> FastAPI:
    """Return the gateway as an ASGI application.

    Args:
        settings: How it is set up.
        predictor: Where masks come from; None for the Triton of ``settings``.
    """
    assembly.check(settings)
    metrics = Metrics()
    answer_bytes = Budget(settings.max_answer_bytes_in_flight, "bytes of answers")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            chosen = await assembly.triton(settings, stack) if predictor is None else predictor
            app.state.gateway = gateway = _gateway(settings, chosen, metrics, answer_bytes, stack)
            if gateway.keys.open:
                LOGGER.warning("no API keys are configured: any key is accepted, and none is needed")
            yield

    # FastAPI's own pages of documentation load scripts from other hosts.
    app = FastAPI(title="Alphacut", summary="Background removal.", lifespan=lifespan, docs_url=None, redoc_url=None)
    for module in (remove, batch, jobs, rembg, removebg, service, page):
        app.include_router(module.router)
    faults.install(app)
    app.add_middleware(Guard)  # the innermost: pages of other origins, too, may read what it answers
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["*"],
        )
    app.add_middleware(Envelope, metrics=metrics)
    app.add_middleware(Sending, answer_bytes=answer_bytes)
    return app


def from_environment() -> FastAPI:
    """Return the application that the environment describes: what each of several worker processes serves."""
    log_to_stderr()
    return create_app(Settings.from_environment(os.environ))


def log_to_stderr() -> None:
    """Write the gateway's own lines to standard error, each one JSON or a sentence."""
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False  # Celery writes whatever comes to the root, too
    if not LOGGER.handlers:
        LOGGER.addHandler(logging.StreamHandler(sys.stderr))


def _gateway(
    settings: Settings, predictor: Predictor, metrics: Metrics, answer_bytes: Budget, stack: AsyncExitStack
) -> Gateway:
    connection = assembly.shared(settings, metrics, stack)
    cutting = assembly.cutting(settings, predictor, connection, stack)
    counts = assembly.counts(connection)
    # Jobs wait for their turn; they do not compete with callers who wait for an answer.
    patient = dataclasses.replace(cutting, megapixels=Budget(float("inf"), "megapixels"), priority="bulk")
    return Gateway(
        settings=settings,
        cutting=cutting,
        jobs=assembly.jobs(settings, patient, stack),
        keys=Keys(settings.api_key_hashes),
        fetcher=Caller(Allowed(settings.fetch_hosts), settings.fetch_timeout_s),
        body_bytes=Budget(settings.max_bytes_in_flight, "bytes of uploads"),
        answer_bytes=answer_bytes,
        requests=Allowances("requests", counts),
        megapixels=Allowances("megapixels", counts),
        pace=Pace(),
        metrics=metrics,
        readiness=Readiness(predictor.health),
    )
