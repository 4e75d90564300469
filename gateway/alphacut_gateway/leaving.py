"""Callers who leave before they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

_Value = TypeVar("_Value")


async def while_there(request: Request, work: Awaitable[_Value]) -> _Value:
    """Wait for ``work`` as long as its caller does; what nobody waits for is cancelled, on the server too.

    Args:
        request: Its body has been read.
        work: What its caller waits for.

    Raises:
        ClientDisconnect: The caller has left.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait([working, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return await working
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass  # the end of a body that was empty
