"""What operators ask: models, health, readiness, numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from alphacut_core.errors import ContractError, DeadlineError, InferenceError, UnavailableError
from alphacut_gateway import gateway
from alphacut_gateway.catalogue import Engine
from alphacut_gateway.faults import declared
from alphacut_gateway.refusals import ForbiddenError, UnauthorizedError
from alphacut_gateway.routes.credentials import KEY

router = APIRouter()

_TEXTS = ("network", "target", "photographs", "engine_sha256", "created_by")
_NUMBERS: Mapping[str, type] = {"iou_p1": float, "pictures": int, "native_size": int}


@router.head("/v1/models", include_in_schema=False)
@router.get("/v1/models", responses=declared(UnavailableError))
async def models(request: Request) -> dict[str, list[dict[str, Any]]]:
    """Say what is served, by network and tier: licence, precision, accuracy and speed as they were measured.

    What was not measured is null.
    """
    engines = await gateway.of(request).cutting.catalogue.engines()
    return {"models": [_described(engine) for engine in engines.values()]}


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that this process answers."""
    return {"status": "ok"}


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses=declared(ContractError, InferenceError, UnavailableError, DeadlineError))
async def readyz(request: Request) -> dict[str, str | float]:
    """Say that a real inference works, or why it does not; the outcome is remembered for a second."""
    health = await gateway.of(request).readiness.check()
    return {"status": "ready", "server": health.server, "latency_s": health.latency_s}


@router.head("/metrics", include_in_schema=False)
@router.get(
    "/metrics", dependencies=KEY, response_class=Response, responses=declared(UnauthorizedError, ForbiddenError)
)
async def metrics(request: Request) -> Response:
    """Return Prometheus' numbers; where keys are configured, to one with the scope `admin`."""
    here = gateway.of(request)
    here.keys.check(request.headers, "admin")
    return Response(here.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


def _described(engine: Engine) -> dict[str, Any]:
    installed = dataclasses.asdict(engine.installed)
    facts = installed.pop("facts")
    return {
        "name": installed.pop("model"),
        **installed,
        **{name: facts.get(name) for name in _TEXTS},
        **{name: number(facts[name]) if name in facts else None for name, number in _NUMBERS.items()},
    }
