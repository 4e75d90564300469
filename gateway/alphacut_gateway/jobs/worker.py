"""What a worker process does with the tasks that Celery hands it."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import AsyncExitStack
from typing import Any

from celery import Celery, Task
from celery.exceptions import Reject, Retry
from celery.signals import worker_process_init, worker_process_shutdown

from alphacut_gateway import assembly
from alphacut_gateway.jobs.celery_queue import TASK, application
from alphacut_gateway.jobs.job import Kind
from alphacut_gateway.jobs.redis_records import RedisRecords
from alphacut_gateway.jobs.steps import Again, Steps
from alphacut_gateway.metrics import Metrics
from alphacut_gateway.settings import Settings

_LONGEST_PAUSE_S = 60


class _Hand:
    """One process of a worker: an event loop, and the connections that live on it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        self._records = RedisRecords(settings.redis_url, settings.job_keep_s)
        self._steps: Steps = self._loop.run_until_complete(self._open())

    def take(self, kind: Kind, job_id: str, turn: int | None) -> Again | Kind | None:
        """Do a step, unless its task is a copy of one that has been put off since; return what comes next."""
        if turn is not None and turn < self._loop.run_until_complete(self._records.turn(job_id)):
            return None
        outcome = self._loop.run_until_complete(self._steps.take(kind, job_id))
        return outcome if isinstance(outcome, Again) else outcome.step

    def next_turn(self, job_id: str) -> int:
        """Return the number of a task that is about to be put off."""
        return self._loop.run_until_complete(self._records.next_turn(job_id))

    def close(self) -> None:
        """Close the connections."""
        self._loop.run_until_complete(self._stack.aclose())
        self._loop.close()

    async def _open(self) -> Steps:
        triton = await assembly.triton(self._settings, self._stack)
        connection = assembly.shared(self._settings, Metrics(), self._stack)
        cutting = assembly.cutting(self._settings, triton, connection, self._stack)
        self._stack.push_async_callback(self._records.close)
        return assembly.steps(self._settings, self._records, dataclasses.replace(cutting, priority="bulk"))


class _Step(Task):  # type: ignore[misc]  # Celery's has no types
    """A task of which one message is worth anything, and that stays where it cannot be put off.

    Redis delivers a message again that waits in a worker for longer than the lease. Both copies are put off where
    there is no server, and would double with each lease: so each message that is put off has a number, and only the
    job's newest is taken. A process that ends between number and message leaves none; that is for the reminder.
    """

    hands: list[_Hand]

    def retry(self, **options: Any) -> Any:
        """Send the task once more for later, or give it back: Celery throws away what it cannot send."""
        kind, job_id, *_ = self.request.args
        try:
            return super().retry((kind, job_id, self.hands[0].next_turn(job_id)), **options)
        except Retry:
            raise
        except Exception as error:
            raise Reject(error, requeue=True) from error


def create_worker(settings: Settings) -> Celery:
    """Return Celery with the one task that workers do; gRPC's threads begin in the processes it forks, not here."""
    app = application(settings.redis_url, settings.job_lease_s)
    hands: list[_Hand] = []

    def begin(**_: object) -> None:
        hands.append(_Hand(settings))

    def end(**_: object) -> None:
        while hands:
            hands.pop().close()

    def step(self: Task, kind: Kind, job_id: str, turn: int | None = None) -> None:
        following = hands[0].take(kind, job_id, turn)
        if isinstance(following, Again):
            raise self.retry(countdown=following.delay_s)
        if following is not None:
            app.send_task(TASK, (following, job_id))

    worker_process_init.connect(begin, weak=False)
    worker_process_shutdown.connect(end, weak=False)
    # Whatever goes wrong is tried again: giving up is for the job's own count of attempts, and its age, to decide. A
    # task that Celery gives up is thrown away, and its job waits until nobody knows it any more.
    app.task(
        name=TASK,
        base=_Step,
        hands=hands,
        shared=False,
        bind=True,
        autoretry_for=(Exception,),
        retry_backoff=True,
        retry_backoff_max=_LONGEST_PAUSE_S,
        max_retries=None,
    )(step)
    return app
