"""The ways of getting masks and cut-outs that are compared, each over the same images."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from alphacut_client import AsyncClient, Client
from alphacut_loadtest.bench_client.transport import Transport

Answer = Callable[[Sequence[bytes]], None]
"""Answers all images, and returns when the last is there."""

MASK_CALLERS = (2, 4, 8, 16)
"""So many at once ask the server alone; the best of them is what it can do."""
CUTOUT_CALLERS = (2, 4, 8)
"""The same where each makes the cut-out of every mask that it gets."""

_SIDE_BY_SIDE_CALLERS = 8
_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class Way:
    """One way of getting answers.

    Attributes:
        answer: Goes it.
        alone: Whether it is a loop, one image after another, whose rate fewer images show as well.
    """

    answer: Answer
    alone: bool = False


def saturated(answers: str, callers: int) -> str:
    """Return the name of the server alone, asked by so many at once for ``masks`` or ``cut-outs``."""
    return f"server saturated, {answers}, {callers} callers"


def ways(url: str, images: Sequence[bytes], stack: ExitStack) -> Mapping[str, Way]:
    """Return the ways by name, in the order of the table.

    Args:
        url: A server on this machine.
        images: The image files of every turn; loops get the first of them.
        stack: Closes what is opened here.
    """
    client = stack.enter_context(Client(url, timeout_s=_TIMEOUT_S))
    remote = stack.enter_context(Client(url, timeout_s=_TIMEOUT_S, render_on="server"))
    transport = stack.enter_context(Transport(url, images))
    loop = asyncio.new_event_loop()
    stack.callback(loop.close)
    # One for all turns, as the others are, so that all have found their window.
    asynchronous = loop.run_until_complete(_opened(url))
    stack.callback(lambda: loop.run_until_complete(asynchronous.close()))
    found = {
        "loop of predict": Way(lambda files: _each(client.predict, files), alone=True),
        "loop of mask": Way(lambda files: _each(client.mask, files), alone=True),
        "mask_batch": Way(lambda files: _drop(client.mask_batch(files))),
        "mask_batch, pixels": Way(lambda files: _drop(client.mask_batch(files, upload="pixels"))),
        "mask_batch, auto": Way(lambda files: _drop(client.mask_batch(files, upload="auto"))),
        "mask_batch, asynchronous": Way(lambda files: _drop(loop.run_until_complete(asynchronous.mask_batch(files)))),
        "loop of remove": Way(lambda files: _each(client.remove, files), alone=True),
        "remove_batch": Way(lambda files: _drop(client.remove_batch(files))),
        "loop of remove, rendered there": Way(lambda files: _each(remote.remove, files), alone=True),
        "remove_batch, rendered there": Way(lambda files: _drop(remote.remove_batch(files))),
        "server saturated, pixels": Way(partial(transport.pixels, _SIDE_BY_SIDE_CALLERS)),
        "server saturated, shared memory": Way(partial(transport.shared_memory, _SIDE_BY_SIDE_CALLERS)),
    }
    for callers in MASK_CALLERS:
        found[saturated("masks", callers)] = Way(partial(transport.masks, callers))
    for callers in CUTOUT_CALLERS:
        found[saturated("cut-outs", callers)] = Way(partial(transport.cutouts, callers))
    return found


def _each(function: Callable[[bytes], object], files: Sequence[bytes]) -> None:
    for file in files:
        function(file)


def _drop(answers: Sequence[object]) -> None:
    del answers


async def _opened(url: str) -> AsyncClient:
    return AsyncClient(url, timeout_s=_TIMEOUT_S)
