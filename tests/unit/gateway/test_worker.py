"""What a worker process does with Celery's tasks, with a real Redis and without the worker around it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery.exceptions import Reject, Retry
from celery.signals import worker_process_init, worker_process_shutdown

from alphacut_core.options import Options
from alphacut_gateway import Settings
from alphacut_gateway.jobs import job as jobs
from alphacut_gateway.jobs.celery_queue import TASK
from alphacut_gateway.jobs.redis_records import RedisRecords
from alphacut_gateway.jobs.worker import create_worker
from alphacut_gateway.tier import Tier


@pytest.fixture
def task(redis_process: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The task of a worker whose Triton is away."""
    for signal in (worker_process_init, worker_process_shutdown):
        monkeypatch.setattr(signal, "receivers", [])
    settings = Settings(redis_url=redis_process.url, triton_url="127.0.0.1:1", retry_for_s=0)
    app = create_worker(settings)
    worker_process_init.send(sender=None)
    yield app.tasks[TASK]
    worker_process_shutdown.send(sender=None)
    app.close()


def test_a_job_waits_for_a_server_however_often_it_has_been_asked_for(
    task: Any, redis_process: Any, photo: bytes
) -> None:
    job = jobs.new(caller="me", fingerprint="f", tier=Tier(), options=Options(), webhook="", trace="")

    async def keep() -> None:
        records = RedisRecords(redis_process.url, 3600)
        await records.create(job, photo, "", 0)
        await records.close()

    asyncio.run(keep())
    for retries in (0, 5000):
        task.push_request(args=("work", job.id), kwargs={}, retries=retries, called_directly=False, id="1", root_id="1")
        try:
            with pytest.raises(Retry):
                task.run("work", job.id)
        finally:
            task.pop_request()


def test_a_task_stays_that_cannot_be_put_off(task: Any, redis_process: Any) -> None:
    with redis.Redis.from_url(redis_process.url) as client:
        client.config_set("maxmemory", 1)
    task.push_request(args=("work", "1"), kwargs={}, called_directly=False, id="1", root_id="1")
    try:
        with pytest.raises(Reject) as rejected:
            task.retry(countdown=1)
    finally:
        task.pop_request()
    assert rejected.value.requeue
