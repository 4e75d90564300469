"""What operators ask: models, health, readiness, numbers."""

from __future__ import annotations

import dataclasses
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from alphacut_core.errors import ContractError, DeadlineError, InferenceError, UnavailableError
from alphacut_gateway import gateway
from alphacut_gateway.faults import declared

router = APIRouter()


@router.get("/v1/models")
async def models(request: Request) -> dict[str, list[dict[str, Any]]]:
    """Say what is served: name, licence, precision, and how far it is from the FP32 reference."""
    return {"models": [dataclasses.asdict(gateway.of(request).model)]}


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that this process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses=declared(ContractError, InferenceError, UnavailableError, DeadlineError))
async def readyz(request: Request) -> dict[str, str | float]:
    """Say that a real inference works, or why it does not; the outcome is remembered for a second."""
    health = await gateway.of(request).readiness.check()
    return {"status": "ready", "server": health.server, "latency_s": health.latency_s}


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Return Prometheus' numbers."""
    return Response(gateway.of(request).metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
