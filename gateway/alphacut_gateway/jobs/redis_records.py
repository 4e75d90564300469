"""Jobs in Redis."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import OutOfMemoryError, RedisError

from alphacut_core.errors import UnavailableError
from alphacut_gateway.jobs.celery_queue import QUEUE, TAKEN
from alphacut_gateway.jobs.job import Job
from alphacut_gateway.refusals import BusyError

_PREFIX = "alphacut:job:"
_OPEN = "alphacut:jobs"
_AT_ONCE = 100
_TIMEOUT_S = 10.0


class RedisRecords:
    """Jobs that replicas and workers share; see ``alphacut_gateway.jobs.records.Records``.

    Args:
        url: Redis' address.
        keep_s: How long jobs, images and results are kept after the last change.
    """

    durable = True

    def __init__(self, url: str, keep_s: int) -> None:
        self._redis: Redis = Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
        self._keep_s = keep_s

    async def create(self, job: Job, image: bytes, idempotency_key: str, result_bytes: int) -> Job:
        """Keep a job; the image first, so that whoever finds the job finds all of it.

        Redis keeps no room: what it has none for when the job ends is made again, until it has.
        """
        async with _failures():
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.set(f"{_PREFIX}{job.id}:image", image, ex=self._keep_s)
                pipeline.set(f"{_PREFIX}{job.id}", job.to_text(), ex=self._keep_s)
                pipeline.zadd(_OPEN, {job.id: time.time()})
                await pipeline.execute()
            if not idempotency_key:
                return job
            name = hashlib.sha256(f"{job.caller}\0{idempotency_key}".encode()).hexdigest()
            # Expires before the job does, so that it never names one that is gone.
            expires_s = max(1, self._keep_s - 1)
            before = await self._redis.set(f"{_PREFIX}key:{name}", job.id, nx=True, ex=expires_s, get=True)
            known = _bytes(before)
            kept = job if known is None else await self.read(known.decode())
            if kept is None:  # the key has outlived its job
                await self._redis.set(f"{_PREFIX}key:{name}", job.id, ex=expires_s)
                return job
            if kept.id != job.id:
                await self._redis.delete(f"{_PREFIX}{job.id}", f"{_PREFIX}{job.id}:image")
            return kept

    async def read(self, job_id: str) -> Job | None:
        """Return a job."""
        async with _failures():
            text = await self._redis.get(f"{_PREFIX}{job_id}")
        return None if text is None else Job.from_text(text)

    async def write(self, job: Job) -> None:
        """Keep a job's state and, once more for the whole time, its image and its result."""

        def change(pipeline: Pipeline) -> None:
            pipeline.set(f"{_PREFIX}{job.id}", job.to_text(), ex=self._keep_s)
            for beside in ("image", "result"):
                pipeline.expire(f"{_PREFIX}{job.id}:{beside}", self._keep_s)
            _note(pipeline, job)

        await self._change(job, job.supersedes, change)

    async def image(self, job_id: str) -> bytes | None:
        """Return a job's image."""
        async with _failures():
            image = await self._redis.get(f"{_PREFIX}{job_id}:image")
        return _bytes(image)

    async def result(self, job_id: str) -> bytes | None:
        """Return a job's result."""
        async with _failures():
            result = await self._redis.get(f"{_PREFIX}{job_id}:result")
        return _bytes(result)

    async def finish(self, job: Job, result: bytes | None) -> None:
        """Keep a job's end."""

        def change(pipeline: Pipeline) -> None:
            if result is not None:
                pipeline.set(f"{_PREFIX}{job.id}:result", result, ex=self._keep_s)
            pipeline.set(f"{_PREFIX}{job.id}", job.to_text(), ex=self._keep_s)
            pipeline.delete(f"{_PREFIX}{job.id}:image")
            _note(pipeline, job)

        await self._change(job, lambda kept: not kept.ended, change)

    async def turn(self, job_id: str) -> int:
        """Return the number of a job's newest put-off task."""
        async with _failures():
            return int(_bytes(await self._redis.get(f"{_PREFIX}{job_id}:turn")) or 0)

    async def next_turn(self, job_id: str) -> int:
        """Return the number of a task that is about to be put off; those before it are of no use any more."""
        name = f"{_PREFIX}{job_id}:turn"
        async with _failures(), self._redis.pipeline(transaction=True) as pipeline:
            pipeline.incr(name)
            pipeline.expire(name, self._keep_s)
            turn, _ = await pipeline.execute()
        return int(turn)

    async def silent(self, for_s: float) -> list[str]:
        """Return jobs that nothing was heard of for so long and that have no task; for the next ones, call again.

        Raises:
            BusyError: There is no room in Redis.
            UnavailableError: Redis is away.
        """
        now = time.time()
        async with _failures():
            if await self._redis.llen(QUEUE):
                return []
            found = await self._redis.zrange(_OPEN, "-inf", now - for_s, byscore=True, offset=0, num=_AT_ONCE)
            silent = [name.decode() for name in cast("list[bytes]", found)]
            for job_id in silent:
                if await self._redis.exists(_PREFIX + job_id):
                    await self._redis.zadd(_OPEN, {job_id: now}, xx=True)
                else:
                    await self._redis.zrem(_OPEN, job_id)  # it has expired, or was another's by its key
            taken = b"".join(cast("list[bytes]", await self._redis.hvals(TAKEN))) if silent else b""
        return [job_id for job_id in silent if job_id.encode() not in taken]

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _change(self, job: Job, may: Callable[[Job], bool], change: Callable[[Pipeline], None]) -> None:
        """Change a job that is still kept, if what is kept lets it; nobody else's change comes between."""
        name = f"{_PREFIX}{job.id}"

        async def attempt(pipeline: Pipeline) -> None:
            kept = _bytes(await pipeline.get(name))
            pipeline.multi()  # type: ignore[no-untyped-call]
            if kept is not None and may(Job.from_text(kept)):
                change(pipeline)

        async with _failures():
            await self._redis.transaction(attempt, name)


def _note(pipeline: Pipeline, job: Job) -> None:
    """Keep when something was heard of a job, as long as there is something to do for it."""
    if job.settled:
        pipeline.zrem(_OPEN, job.id)
    else:
        pipeline.zadd(_OPEN, {job.id: time.time()})


def _bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) else None


@asynccontextmanager
async def _failures() -> AsyncIterator[None]:
    try:
        yield
    except OutOfMemoryError as error:
        raise BusyError("there is no room for more jobs; send it again later") from error
    except (RedisError, OSError) as error:
        raise UnavailableError(f"the store of jobs is away ({type(error).__name__}); send the job again") from error
