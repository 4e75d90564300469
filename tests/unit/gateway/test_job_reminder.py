"""Jobs whose task is gone, with a real Redis."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from alphacut_core.errors import UnavailableError
from alphacut_core.options import Options
from alphacut_gateway.jobs import job as jobs
from alphacut_gateway.jobs.celery_queue import QUEUE, TAKEN, CeleryQueue, application
from alphacut_gateway.jobs.job import Delivery, Job, Kind, State
from alphacut_gateway.jobs.redis_records import RedisRecords
from alphacut_gateway.jobs.reminder import Reminder
from alphacut_gateway.tier import Tier
from tests.waiting import PATIENCE_S

LEASE_S = 0.1


def new(state: State = "queued", delivery: Delivery = "none") -> Job:
    job = jobs.new(caller="me", fingerprint="f", tier=Tier(), options=Options(), webhook="", trace="")
    return dataclasses.replace(job, state=state, delivery=delivery)


@asynccontextmanager
async def reminded(url: str) -> AsyncIterator[tuple[RedisRecords, asyncio.Queue[str]]]:
    """Jobs, and which of them are put on a queue again."""
    again: asyncio.Queue[str] = asyncio.Queue()

    class Put:
        broken = True

        async def put(self, _kind: Kind, job_id: str) -> None:
            if self.broken:  # at first, which is no reason to stop for ever
                self.broken = False
                raise RuntimeError("a library's own")
            again.put_nowait(job_id)

    records = RedisRecords(url, 60)
    reminder = Reminder(records, Put(), LEASE_S)
    try:
        yield records, again
    finally:
        await reminder.close()
        await records.close()


@pytest.mark.parametrize(("state", "delivery"), [("queued", "none"), ("running", "none"), ("done", "pending")])
def test_a_job_is_put_on_the_queue_again_that_nothing_is_heard_of(
    redis_process: Any, photo: bytes, state: State, delivery: Delivery
) -> None:
    async def scenario() -> None:
        job = new()
        async with reminded(redis_process.url) as (records, again):
            await records.create(job, photo, "", 0)
            changed = dataclasses.replace(job, state=state, delivery=delivery)
            await (records.finish(changed, b"") if changed.ended else records.write(changed))
            for _ in range(2):  # and once more, if that is lost too
                assert await asyncio.wait_for(again.get(), PATIENCE_S) == job.id

    asyncio.run(scenario())


@pytest.mark.parametrize("delivery", ["none", "delivered", "failed"])
def test_nobody_is_reminded_of_a_job_that_is_over(redis_process: Any, photo: bytes, delivery: Delivery) -> None:
    async def scenario() -> list[str]:
        job = new(delivery="pending")
        records = RedisRecords(redis_process.url, 60)
        try:
            await records.create(job, photo, "", 0)
            await records.finish(dataclasses.replace(job, state="done"), b"")
            await records.write(dataclasses.replace(job, state="done", delivery=delivery))
            return await records.silent(0)
        finally:
            await records.close()

    assert asyncio.run(scenario()) == []


@pytest.mark.parametrize("taken", [False, True])
def test_nobody_is_reminded_of_a_job_whose_task_waits_or_is_taken(
    redis_process: Any, photo: bytes, taken: bool
) -> None:
    async def scenario() -> list[str]:
        job = new()
        records, queue = RedisRecords(redis_process.url, 60), CeleryQueue(application(redis_process.url, 60))
        try:
            await records.create(job, photo, "", 0)
            await queue.put("work", job.id)
            if taken:  # as kombu notes it
                message = await records._redis.rpop(QUEUE)
                await records._redis.hset(TAKEN, "1", json.dumps([json.loads(message), "alphacut", "alphacut"]))
            return await records.silent(0)
        finally:
            await queue.close()
            await records.close()

    assert asyncio.run(scenario()) == []


def test_jobs_that_are_kept_no_longer_are_forgotten(redis_process: Any, photo: bytes) -> None:
    async def scenario() -> list[list[str]]:
        records = RedisRecords(redis_process.url, 60)
        try:
            for job in (new(), new()):  # the second is the first, by its key
                await records.create(job, photo, "order-1", 0)
            return [await records.silent(0) for _ in range(2)]
        finally:
            await records.close()

    first, second = asyncio.run(scenario())
    assert (len(first), len(second)) == (2, 1)


def test_a_redis_that_is_away_ends_no_reminding(redis_process: Any, photo: bytes) -> None:
    async def scenario() -> None:
        async with reminded(redis_process.url) as (records, again):
            redis_process.kill()
            with pytest.raises(UnavailableError):
                await records.silent(0)
            redis_process.start()
            await records.create(job := new(), photo, "", 0)
            assert await asyncio.wait_for(again.get(), PATIENCE_S) == job.id

    asyncio.run(scenario())
