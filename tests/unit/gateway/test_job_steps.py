"""What workers do for a job, also two at a time, as after a lease that ended early or a request that was sent again."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from alphacut_core.errors import InferenceError, UnavailableError
from alphacut_core.options import Options
from alphacut_gateway.jobs import job as jobs
from alphacut_gateway.jobs.records import Records
from alphacut_gateway.jobs.redis_records import RedisRecords
from alphacut_gateway.jobs.sqlite_records import SqliteRecords
from alphacut_gateway.jobs.steps import Again, Steps, Then
from alphacut_gateway.tier import Tier


def new(webhook: str = "") -> jobs.Job:
    return jobs.new(caller="me", fingerprint="f", tier=Tier(), options=Options(), webhook=webhook, trace="")


@pytest.fixture(params=["sqlite", "redis"])
def opened(request: pytest.FixtureRequest) -> Any:
    """Records to open inside an event loop."""
    url = request.getfixturevalue("redis_process").url if request.param == "redis" else ""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        records = RedisRecords(url, 60) if url else SqliteRecords(None, keep_s=60, lease_s=60, max_bytes=10**6)
        try:
            yield records
        finally:
            await records.close()

    return opened


class Cutting:
    """Fails for the first who comes, after the second has been served."""

    def __init__(self) -> None:
        self.n_begun = 0
        self.begun = asyncio.Event()
        self.fail = asyncio.Event()

    @asynccontextmanager
    async def matte(self, *_: Any) -> AsyncIterator[None]:
        self.n_begun += 1
        if self.n_begun == 1:
            self.begun.set()
            await self.fail.wait()
            raise UnavailableError("gone")
        yield

    async def render(self, *_: Any) -> None:
        pass

    async def encode(self, *_: Any) -> bytes:
        return b"picture"


def test_a_result_outlives_another_workers_outage(opened: Any) -> None:
    async def scenario() -> None:
        async with opened() as records:
            cutting = Cutting()
            steps = Steps(records, cutting, None, max_attempts=8, patience_s=60)  # type: ignore[arg-type]
            job = await records.create(new(), b"image", "", 0)
            slow = asyncio.ensure_future(steps.take("work", job.id))
            await cutting.begun.wait()
            assert await steps.take("work", job.id) == Then()
            cutting.fail.set()
            assert isinstance(await slow, Again)
            assert await steps.take("work", job.id) == Then()
            assert (await records.read(job.id)).state == "done"
            assert await records.result(job.id) == b"picture"

    asyncio.run(scenario())


@pytest.mark.parametrize(("age_s", "delay_s"), [(-3600, 1), (0, 1), (20, 6), (3000, 15)])
def test_an_outage_is_waited_for_longer_and_longer_whatever_the_clocks_say(age_s: float, delay_s: float) -> None:
    async def scenario() -> None:
        records = SqliteRecords(None, keep_s=3600, lease_s=60, max_bytes=10**6)
        cutting = Cutting()
        cutting.fail.set()
        job = await records.create(new(), b"image", "", 0)
        steps = Steps(
            records,
            cutting,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            max_attempts=8,
            patience_s=3600,
            clock=lambda: job.created_at + age_s,
        )
        assert await steps.take("work", job.id) == Again(pytest.approx(delay_s))
        await records.close()

    asyncio.run(scenario())


def test_the_first_end_stays_and_so_does_what_was_delivered(opened: Any) -> None:
    async def scenario(records: Records) -> None:
        job = await records.create(new("https://hooks.test/"), b"image", "", 0)
        done = dataclasses.replace(job, state="done", media_type="image/png")
        await records.finish(done, b"picture")
        await records.write(dataclasses.replace(job, state="running"))
        await records.finish(dataclasses.replace(job, state="failed", error=InferenceError("late").to_wire()), None)
        assert (await records.read(job.id), await records.result(job.id)) == (done, b"picture")
        delivered = dataclasses.replace(done, deliveries=1, delivery="delivered")
        await records.write(delivered)
        await records.write(dataclasses.replace(done, deliveries=1))
        assert await records.read(job.id) == delivered

    async def everything() -> None:
        async with opened() as records:
            await scenario(records)

    asyncio.run(everything())
