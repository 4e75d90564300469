"""A proxy in the environment, as companies have them: it may stand before other machines, never before this one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from alphacut_client import AsyncClient, Client
from alphacut_core.errors import DeadlineError, UnavailableError

Serve = Callable[..., Any]
Photo = Callable[..., bytes]


@pytest.mark.parametrize("several", [False, True], ids=["one server", "a list"])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_this_machine_and_lists_are_not_asked_of_the_proxy(
    asynchronous: bool, several: bool, serve: Serve, photo: Photo, deaf_proxy: Any
) -> None:
    url = [serve().url, serve().url] if several else serve().url

    async def run() -> bytes:
        async with AsyncClient(url, token="for this machine alone", timeout_s=5) as client:  # noqa: S106
            return await client.mask(photo())

    if asynchronous:
        assert asyncio.run(run())
    else:
        with Client(url, token="for this machine alone", timeout_s=5) as client:  # noqa: S106
            assert client.mask(photo())
    assert not deaf_proxy.was_asked()


def test_another_machine_is_asked_of_the_proxy(photo: Photo, deaf_proxy: Any) -> None:
    with (
        Client("cut.invalid:8001", timeout_s=1, retry_for_s=0) as client,
        pytest.raises((DeadlineError, UnavailableError)),
    ):
        client.mask(photo())
    assert deaf_proxy.was_asked()
