"""What is answered before any route sees a request, and where one has failed."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alphacut_core.errors import AlphacutError
from alphacut_gateway import faults, shape
from alphacut_gateway.envelope import note_fault
from alphacut_gateway.refusals import BusyError

MAX_HEAD_BYTES = 16 * 1024
"""Longest request line and headers together."""

FULL = "alphacut.full"
"""What a server sets in a request's ``state`` if the connection is one too many."""

_HEALTH = "/healthz"
"""Answered however many connections there are: a gateway that has much to do is alive."""


class Guard:
    """ASGI middleware around the routes; what gives answers their headers lies around it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_on(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        request = Request(scope)
        try:
            await (_refusal(request) or self._app)(scope, receive, send_on)
        except ClientDisconnect:
            raise  # nobody's failure, and nobody is left to be told
        except Exception:
            note_fault(request, AlphacutError.code)
            if not begun:
                # The server logs it with its traceback; the caller learns nothing of our insides.
                why = "the gateway failed on this request; its log says why"
                await shape.error(scope["path"], 500, AlphacutError.code, why)(scope, receive, send_on)
            raise


def _refusal(request: Request) -> Response | None:
    # h11 bounds only a head that arrives in pieces.
    if _head_bytes(request.scope) > MAX_HEAD_BYTES:
        note_fault(request, "head-too-long")
        why = f"got headers of more than {MAX_HEAD_BYTES:,} bytes; send fewer"
        return shape.error(request.scope["path"], 431, "head-too-long", why)
    if request.scope.get("state", {}).get(FULL) and request.scope["path"] != _HEALTH:
        note_fault(request, BusyError.code)
        full = BusyError(
            "as many connections as are allowed are open; send it again in a second, or to another gateway"
        )
        return faults.answer(full, request.scope["path"])
    return None


def _head_bytes(scope: Scope) -> int:
    fields = sum(len(name) + len(value) for name, value in scope["headers"])
    return fields + len(scope.get("raw_path") or b"") + len(scope["query_string"])
