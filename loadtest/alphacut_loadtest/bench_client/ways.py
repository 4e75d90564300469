"""The ways of getting masks and cut-outs that are compared, each over the same images."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from alphacut_client import AsyncClient, Client
from alphacut_loadtest.bench_client.transport import Transport

Way = Callable[[Sequence[bytes]], None]
"""Answers all images, and returns when the last is there."""

_TIMEOUT_S = 600.0


def ways(url: str, images: Sequence[bytes], stack: ExitStack) -> Mapping[str, Way]:
    """Return the ways by name, in the order of the table.

    Args:
        url: A server on this machine.
        images: The image files of every turn.
        stack: Closes what is opened here.
    """
    client = stack.enter_context(Client(url, timeout_s=_TIMEOUT_S))
    transport = stack.enter_context(Transport(url, images))
    loop = asyncio.new_event_loop()
    stack.callback(loop.close)
    # One for all turns, as the other is, so that both have found their window.
    asynchronous = loop.run_until_complete(_opened(url))
    stack.callback(lambda: loop.run_until_complete(asynchronous.close()))
    return {
        "loop of predict": lambda files: _each(client.predict, files),
        "loop of mask": lambda files: _each(client.mask, files),
        "mask_batch": lambda files: _drop(client.mask_batch(files)),
        "mask_batch, pixels": lambda files: _drop(client.mask_batch(files, upload="pixels")),
        "mask_batch, auto": lambda files: _drop(client.mask_batch(files, upload="auto")),
        "mask_batch, asynchronous": lambda files: _drop(loop.run_until_complete(asynchronous.mask_batch(files))),
        "loop of remove": lambda files: _each(client.remove, files),
        "remove_batch": lambda files: _drop(client.remove_batch(files)),
        "server saturated, files": lambda _: transport.files(),
        "server saturated, pixels": lambda _: transport.pixels(),
        "server saturated, shared memory": lambda _: transport.shared_memory(),
    }


def _each(function: Callable[[bytes], object], files: Sequence[bytes]) -> None:
    for file in files:
        function(file)


def _drop(answers: Sequence[object]) -> None:
    del answers


async def _opened(url: str) -> AsyncClient:
    return AsyncClient(url, timeout_s=_TIMEOUT_S)
