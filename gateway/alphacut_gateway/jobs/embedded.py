"""Doing jobs inside the gateway: for the demo, and for a single machine without Redis."""

from __future__ import annotations

import asyncio
import logging
from typing import get_args

from alphacut_gateway.jobs.job import Kind
from alphacut_gateway.jobs.sqlite_records import SqliteRecords
from alphacut_gateway.jobs.steps import Again, Steps

LOGGER = logging.getLogger("alphacut.gateway")

_LOOK_EVERY_S = 1.0


class EmbeddedQueue:
    """Takes tasks from SQLite and does them on the gateway's event loop, some at a time.

    Args:
        records: Where jobs and tasks are kept.
        steps: What is done for them.
        n_workers: How many of each kind at a time. Receivers that hang keep no picture waiting.
    """

    def __init__(self, records: SqliteRecords, steps: Steps, n_workers: int) -> None:
        self._records = records
        self._steps = steps
        self._something: dict[Kind, asyncio.Event] = {kind: asyncio.Event() for kind in get_args(Kind)}
        self._workers = [asyncio.ensure_future(self._work(kind)) for kind in self._something for _ in range(n_workers)]

    async def put(self, kind: Kind, job_id: str) -> None:
        """Keep a task and wake a worker; as ``alphacut_gateway.jobs.records.Queue``."""
        await self._records.put(kind, job_id)
        self._something[kind].set()

    async def close(self) -> None:
        """Stop; what is not done is done by whoever opens the file next."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        await self._records.close()

    async def _work(self, kind: Kind) -> None:
        something = self._something[kind]
        while True:
            something.clear()
            task = await self._records.take(kind)
            if task is not None:
                # A task of its own, so that no error of its ends this loop; its lease ends, and it is tried again.
                doing = asyncio.ensure_future(self._do(*task))
                try:
                    await asyncio.wait([doing])
                finally:
                    doing.cancel()
                if doing.exception() is not None:
                    LOGGER.error("a job could not be worked on", exc_info=doing.exception())
                continue
            # Postponed tasks, and other processes' ones, come without a signal. Not wait_for: before Python 3.12 it
            # forgets to be cancelled if the signal comes at that moment.
            signal = asyncio.ensure_future(something.wait())
            try:
                await asyncio.wait([signal], timeout=_LOOK_EVERY_S)
            finally:
                signal.cancel()

    async def _do(self, kind: Kind, job_id: str) -> None:
        taking = asyncio.ensure_future(self._steps.take(kind, job_id))
        try:
            while not (await asyncio.wait([taking], timeout=self._records.lease_s / 3))[0]:
                await self._records.postpone(kind, job_id, self._records.lease_s)  # nobody else is to begin it
        finally:
            taking.cancel()
        outcome = taking.result()
        if isinstance(outcome, Again):
            await self._records.postpone(kind, job_id, outcome.delay_s)
            return
        if outcome.step is not None:
            await self.put(outcome.step, job_id)
        await self._records.complete(kind, job_id)
