"""Answers on their way to callers, who may fetch them slowly."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alphacut_gateway.admission import Budget

_PIECE_BYTES = 128 * 1024


class Sending:
    """ASGI middleware that hands answers over in pieces, each when the one before is all but fetched.

    In one piece an answer would be copied to the connection's buffer and forgotten, however long it stays there. So
    it counts as under way until its caller has fetched it.

    Args:
        app: Whose answers are sent.
        answer_bytes: What has been made and not been fetched.
    """

    def __init__(self, app: ASGIApp, answer_bytes: Budget) -> None:
        self._app = app
        self._answer_bytes = answer_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and its answer back."""

        async def send_pieces(message: Message) -> None:
            body = message.get("body", b"")
            if len(body) <= _PIECE_BYTES:
                await send(message)
                return
            with self._answer_bytes.count(len(body)):
                for at in range(0, len(body), _PIECE_BYTES):
                    await send({**message, "body": body[at : at + _PIECE_BYTES], "more_body": True})
                # Nothing is sent before there is room again: when this is, all but a piece has been fetched.
                await send({**message, "body": b""})

        await self._app(scope, receive, send_pieces)
