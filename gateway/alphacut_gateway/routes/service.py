"""What operators ask: models, health, readiness, numbers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from alphacut_core.errors import ContractError, DeadlineError, InferenceError, UnavailableError
from alphacut_gateway import gateway
from alphacut_gateway.catalogue import Engine
from alphacut_gateway.faults import declared
from alphacut_gateway.refusals import ForbiddenError, UnauthorizedError

router = APIRouter()

_NUMBERS = ("mean_difference", "mean_iou", "iou_p1", "time_ms", "pictures", "native_size")
_TEXTS = ("licence", "network", "target", "precision", "machine", "photographs", "engine_sha256", "created_by")


@router.get("/v1/models", responses=declared(UnavailableError))
async def models(request: Request) -> dict[str, list[dict[str, Any]]]:
    """Say what is served, by network and tier: licence, precision, accuracy and speed as they were measured.

    What was not measured is null.
    """
    engines = await gateway.of(request).cutting.catalogue.engines()
    return {"models": [_described(engine) for engine in engines.values()]}


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that this process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses=declared(ContractError, InferenceError, UnavailableError, DeadlineError))
async def readyz(request: Request) -> dict[str, str | float]:
    """Say that a real inference works, or why it does not; the outcome is remembered for a second."""
    health = await gateway.of(request).readiness.check()
    return {"status": "ready", "server": health.server, "latency_s": health.latency_s}


@router.get("/metrics", response_class=Response, responses=declared(UnauthorizedError, ForbiddenError))
async def metrics(request: Request) -> Response:
    """Return Prometheus' numbers; where keys are configured, to one with the scope `admin`."""
    here = gateway.of(request)
    here.keys.check(request.headers, "admin")
    return Response(here.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


def _described(engine: Engine) -> dict[str, Any]:
    facts = engine.facts
    return {
        "name": engine.tier.model,
        "mode": engine.tier.mode,
        "size": engine.size,
        **{name: facts.get(name) for name in _TEXTS},
        **{name: _number(facts.get(name)) for name in _NUMBERS},
    }


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
