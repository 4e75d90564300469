"""What a worker process does with Celery's tasks, with a real Redis and without the worker around it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery.exceptions import Reject, Retry
from celery.signals import worker_process_init, worker_process_shutdown

from alphacut_core.options import Options
from alphacut_gateway import Settings
from alphacut_gateway.jobs import job as jobs
from alphacut_gateway.jobs.celery_queue import QUEUE, TASK
from alphacut_gateway.jobs.job import Job
from alphacut_gateway.jobs.redis_records import RedisRecords
from alphacut_gateway.jobs.steps import Steps
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


def keep(url: str, photo: bytes) -> Job:
    """A job that is kept and that nobody has begun."""
    job = jobs.new(caller="me", fingerprint="f", tier=Tier(), options=Options(), webhook="", trace="")

    async def create() -> None:
        records = RedisRecords(url, 3600)
        await records.create(job, photo, "", 0)
        await records.close()

    asyncio.run(create())
    return job


def is_put_off(task: Any, arguments: list[Any], retries: int = 0) -> bool:
    """Do a task; say whether it was put off, and not dropped."""
    task.push_request(args=arguments, kwargs={}, retries=retries, called_directly=False, id="1", root_id="1")
    try:
        task.run(*arguments)
    except Retry:
        return True
    finally:
        task.pop_request()
    return False


def sent(client: redis.Redis) -> list[list[Any]]:
    """Take the arguments of all tasks out of Redis."""
    messages = [json.loads(message) for message in client.lrange(QUEUE, 0, -1)]
    client.delete(QUEUE)
    return [json.loads(base64.b64decode(message["body"]))[0] for message in messages]


def test_a_job_waits_for_a_server_however_often_it_has_been_asked_for(
    task: Any, redis_process: Any, photo: bytes
) -> None:
    job = keep(redis_process.url, photo)
    for retries in (0, 5000):
        assert is_put_off(task, ["work", job.id], retries)


def test_tasks_do_not_multiply_that_are_delivered_twice(task: Any, redis_process: Any, photo: bytes) -> None:
    # As Redis delivers those again that wait in a worker for longer than the lease.
    tasks: list[list[Any]] = [["work", keep(redis_process.url, photo).id]]
    with redis.Redis.from_url(redis_process.url) as client:
        for _ in range(4):
            for arguments in [*tasks, *tasks]:
                is_put_off(task, arguments)
            tasks = sent(client)
    assert len(tasks) == 1


def test_tasks_of_an_unknown_error_do_not_multiply_either(
    task: Any, redis_process: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("a library's own")

    monkeypatch.setattr(Steps, "take", broken)
    with redis.Redis.from_url(redis_process.url) as client:
        assert [is_put_off(task, ["deliver", "1"]) for _ in range(2)] == [True, True]
        assert sorted(is_put_off(task, arguments) for arguments in sent(client)) == [False, True]


def test_a_job_is_done_whose_task_was_lost_when_it_was_put_off(task: Any, redis_process: Any, photo: bytes) -> None:
    job = keep(redis_process.url, photo)
    assert is_put_off(task, ["work", job.id])
    with redis.Redis.from_url(redis_process.url) as client:
        assert len(sent(client)) == 1  # and it is gone
        assert is_put_off(task, ["work", job.id])  # as the reminder, and an older release, send them
        assert [is_put_off(task, arguments) for arguments in sent(client)] == [True]


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
