"""Making the pictures of a batch: some at a time, each sent as it is finished."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

from alphacut_core.errors import AlphacutError
from alphacut_gateway.batch.growing_zip import GrowingZip
from alphacut_gateway.batch.images import BatchImage
from alphacut_gateway.batch.names import Answers
from alphacut_gateway.refusals import BusyError

MANIFEST = "manifest.json"

_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0

Cut = Callable[[bytes], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Working:
    """How a batch is worked on.

    Attributes:
        cut: Makes the picture of an image's content.
        unpack: Runs a function that returns an image's content, off the event loop.
        keep: Counts bytes of a finished answer as under way while its block runs.
        n_at_once: How many images are worked on, and how many answers wait to be sent, at most.
        patience_s: How long an image waits while others hold the gateway.
    """

    cut: Cut
    unpack: Callable[[Callable[[], bytes]], Awaitable[bytes]]
    keep: Callable[[int], AbstractContextManager[None]]
    n_at_once: int
    patience_s: float

    async def zipped(self, images: list[BatchImage], ending: str) -> AsyncGenerator[bytes, None]:
        """Yield a zip of the answers as they come, and ``manifest.json`` at its end.

        An image that fails is named there with its error and costs nobody else anything. No more images are begun
        than the caller fetches answers.
        """
        archive, answers = GrowingZip(), Answers(ending)
        waiting = deque(images)
        told: list[dict[str, Any]] = []
        running: dict[asyncio.Task[bytes], tuple[BatchImage, ExitStack]] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self.n_at_once:
                    image, held = waiting.popleft(), ExitStack()
                    running[asyncio.ensure_future(self._one(image, held))] = image, held
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    image, held = running.pop(task)
                    error = task.exception()
                    if isinstance(error, AlphacutError):
                        told.append({"image": image.name, "error": {"code": error.code, "message": str(error)}})
                        continue
                    name = answers.name(image.name)
                    with held:  # from here on it is being sent
                        chunk = archive.add(name, task.result())
                    told.append({"image": image.name, "file": name})
                    yield chunk
            yield archive.add(MANIFEST, json.dumps({"images": told}, indent=1).encode()) + archive.end()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            for _, held in running.values():
                held.close()

    async def _one(self, image: BatchImage, held: ExitStack) -> bytes:
        content = await self.unpack(image.read)
        loop = asyncio.get_running_loop()
        give_up_at, pause_s = loop.time() + self.patience_s, _PAUSE_S
        while True:
            try:
                made = await self.cut(content)
                held.enter_context(self.keep(len(made)))
                return made
            except BusyError:
                if loop.time() + pause_s > give_up_at:
                    raise
            await asyncio.sleep(pause_s)
            pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
