"""What surrounds every request: an id, security headers, numbers, and one line in the log."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid

from opentelemetry import context, propagate
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alphacut_gateway.metrics import Metrics

LOGGER = logging.getLogger("alphacut.gateway")

_FAULT = "alphacut.fault"
_CALLER_LEFT = 499

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class Envelope:
    """ASGI middleware around the application."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and its answer back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        status = _CALLER_LEFT  # before there was an answer
        started, made_at = time.perf_counter(), 0.0

        async def send_sealed(message: Message) -> None:
            nonlocal status, made_at
            if message["type"] == "http.response.start":
                status = message["status"]
                sealed = MutableHeaders(scope=message)
                sealed["X-Request-Id"] = request_id
                for name, value in _SECURITY_HEADERS.items():
                    sealed.setdefault(name, value)
            elif not message.get("more_body"):
                made_at = time.perf_counter()  # how fast callers fetch the rest is not the gateway's doing
            await send(message)

        self._metrics.in_flight.inc()
        # The client sends the trace that is active here on to Triton.
        trace = context.attach(propagate.extract(headers))
        try:
            await self._app(scope, receive, send_sealed)
        except ClientDisconnect:
            pass  # nobody's failure, and nobody is left to be told
        except Exception:
            status = 500  # also of an answer that had begun
            raise
        finally:
            context.detach(trace)
            self._metrics.in_flight.dec()
            self._record(scope, headers, request_id, status, (made_at or time.perf_counter()) - started)

    def _record(self, scope: Scope, headers: Headers, request_id: str, status: int, duration_s: float) -> None:
        # The route, never the path or the query: those can hold anything, as many as a caller likes, like methods.
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.request_seconds.labels(route).observe(duration_s)
        if fault := scope.get(_FAULT, "caller-left" if status == _CALLER_LEFT else None):
            self._metrics.errors.labels(fault).inc()
        line = {
            "event": "request",
            "id": request_id,
            "method": method,
            "route": route,
            "status": status,
            "ms": round(1000 * duration_s, 1),
        }
        trace = _TRACE_PARENT.fullmatch(headers.get("traceparent", ""))
        if trace:
            line["trace_id"] = trace[1]
        LOGGER.info("%s", json.dumps(line))


def note_fault(request: Request, code: str) -> None:
    """Have a request counted as one that ended in an error of this code, one of a fixed set."""
    request.scope[_FAULT] = code
