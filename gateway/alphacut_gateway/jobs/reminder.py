"""Jobs whose task is gone."""

from __future__ import annotations

import asyncio
import logging
import random

from alphacut_core.errors import UnavailableError
from alphacut_gateway.jobs.records import Queue
from alphacut_gateway.jobs.redis_records import RedisRecords
from alphacut_gateway.refusals import BusyError

LOGGER = logging.getLogger("alphacut.gateway")


class Reminder:
    """Puts jobs on the queue again that nothing is heard of any more.

    Celery takes a task out of Redis and then notes that it did. A task is nowhere if its worker or the connection ends
    in between, or if Redis has become too full for the note.

    Args:
        records: Where jobs are kept.
        queue: Where tasks are.
        lease_s: How long a task may take.
    """

    def __init__(self, records: RedisRecords, queue: Queue, lease_s: float) -> None:
        self._records = records
        self._queue = queue
        self._lease_s = lease_s
        self._rounds = asyncio.ensure_future(self._go_round())

    async def close(self) -> None:
        """Stop."""
        self._rounds.cancel()
        await asyncio.gather(self._rounds, return_exceptions=True)

    async def _go_round(self) -> None:
        while True:
            # Not at the same time as other gateways: a job that two put on the queue is done twice.
            await asyncio.sleep(self._lease_s * random.uniform(0.5, 1))  # noqa: S311  no secret
            try:
                for job_id in await self._records.silent(self._lease_s):
                    await self._queue.put("work", job_id)  # whose next step is the announcement, if it has ended
            except (BusyError, UnavailableError):
                continue  # Redis is full, or away
            except Exception:
                LOGGER.exception("jobs could not be looked after")
