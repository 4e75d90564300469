"""Celery with Redis: the queue between gateways and workers."""

from __future__ import annotations

import asyncio

from celery import Celery
from kombu.exceptions import OperationalError

from alphacut_core.errors import UnavailableError
from alphacut_gateway.jobs.job import Kind

TASK = "alphacut.step"

QUEUE = "alphacut"
"""The list in Redis that tasks wait in."""

TAKEN = "unacked"
"""Kombu's hash in Redis of tasks that workers have taken."""


def application(redis_url: str, lease_s: int) -> Celery:
    """Return Celery, set up so that no task is lost with a worker.

    A task is acknowledged when it is done, not when it is taken. One whose worker process dies goes back at once
    while the worker's parent lives, and after ``lease_s`` where the whole worker is gone.

    Args:
        redis_url: Redis' address.
        lease_s: How long a task may take.
    """
    app = Celery("alphacut", broker=_broker(redis_url), set_as_current=False)
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_acks_on_failure_or_timeout=False,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_default_queue=QUEUE,
        task_time_limit=lease_s,
        worker_prefetch_multiplier=1,
        worker_max_tasks_per_child=1000,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        # A Redis that is full refuses even to forget a task; workers would end, and by status 0.
        broker_channel_error_retry=True,
        broker_transport_options={
            "visibility_timeout": lease_s,
            "socket_timeout": 10,
            "socket_connect_timeout": 10,
            # Kombu looks for tasks of dead workers every hundred seconds unless told otherwise.
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
        },
        enable_utc=True,
    )
    return app


class CeleryQueue:
    """Hands tasks to workers; see ``alphacut_gateway.jobs.records.Queue``.

    Args:
        app: What ``application`` returned.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app

    async def put(self, kind: Kind, job_id: str) -> None:
        """Send a task to Redis; when this returns it is there."""
        try:
            await asyncio.to_thread(self._app.send_task, TASK, (kind, job_id), retry=False)
        except OperationalError as error:
            raise UnavailableError("the queue of jobs is away; send the job again") from error

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.to_thread(self._app.close)


def _broker(redis_url: str) -> str:
    """Return an address as Celery writes it: unix sockets have a name of their own."""
    return redis_url.replace("unix://", "redis+socket://", 1) if redis_url.startswith("unix://") else redis_url
