"""Putting the parts together, for the application and for workers alike."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from alphacut_client import AsyncClient
from alphacut_client.settings import Settings as ClientSettings
from alphacut_core.errors import ContractError, MissingLibraryError
from alphacut_core.limits import Limits
from alphacut_gateway.admission import Budget
from alphacut_gateway.allowance import WINDOW_S, Counts
from alphacut_gateway.cache import Elsewhere, MaskCache
from alphacut_gateway.catalogue import Catalogue
from alphacut_gateway.cutting import Cutting, Predictor
from alphacut_gateway.fetching.allowed import Allowed
from alphacut_gateway.fetching.calling import Caller
from alphacut_gateway.jobs import sqlite_records
from alphacut_gateway.jobs.embedded import EmbeddedQueue
from alphacut_gateway.jobs.records import Queue, Records
from alphacut_gateway.jobs.service import Jobs
from alphacut_gateway.jobs.sqlite_records import SqliteRecords
from alphacut_gateway.jobs.steps import Steps
from alphacut_gateway.jobs.webhook import Webhooks
from alphacut_gateway.metrics import Metrics
from alphacut_gateway.settings import Settings
from alphacut_gateway.threads import Threads

if TYPE_CHECKING:
    from alphacut_gateway.shared.connection import Shared

_EMBEDDED_WORKERS = 2


def check(settings: Settings) -> None:
    """Refuse settings that cannot work on this machine.

    Raises:
        MissingLibraryError: Redis is named, and the extra for it is missing.
        ContractError: Triton's or Redis' address is none, a time is none that the client takes, or the file for jobs
            cannot be used.
    """
    try:
        ClientSettings(**_to_triton(settings))
    except ValueError as error:
        raise ContractError(f"cannot speak to Triton: {error}") from error
    if not settings.redis_url:
        sqlite_records.check(settings.jobs_file)
        return
    try:
        import celery  # noqa: F401, PLC0415  the extra may be missing
        from redis.asyncio.connection import parse_url  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingLibraryError(
            f"redis_url needs {error.name}, which is missing; run pip install '.[jobs]' in Alphacut's checkout"
        ) from error
    try:
        parse_url(settings.redis_url)
    except ValueError as error:
        # Neither the address nor what is said of it is repeated: they may hold a password.
        raise ContractError("got a redis_url that is no address; give redis://, rediss:// or unix://") from error


def shared(settings: Settings, metrics: Metrics, stack: AsyncExitStack) -> Shared | None:
    """Return what replicas share, if there is a Redis."""
    if not settings.redis_url:
        return None
    from alphacut_gateway.shared.connection import Shared  # noqa: PLC0415  an extra

    connection = Shared(settings.redis_url, metrics.redis_failures.inc)
    stack.push_async_callback(connection.close)
    return connection


def counts(connection: Shared | None) -> Counts | None:
    """Return where callers' use is counted for all replicas."""
    if connection is None:
        return None
    from alphacut_gateway.shared.counts import SharedCounts  # noqa: PLC0415  an extra

    return SharedCounts(connection, WINDOW_S)


async def triton(settings: Settings, stack: AsyncExitStack) -> AsyncClient:
    """Return a client of the Triton behind the gateway, for the loop that runs."""
    return await stack.enter_async_context(AsyncClient(**_to_triton(settings)))


def _to_triton(settings: Settings) -> dict[str, Any]:
    return {
        "url": settings.triton_url,
        "limits": limits(settings),
        "timeout_s": settings.timeout_s,
        "retry_for_s": settings.retry_for_s,
    }


def limits(settings: Settings) -> Limits:
    """Return the bounds on images."""
    return Limits(max_bytes=settings.max_bytes, max_pixels=settings.max_pixels)


def cutting(settings: Settings, predictor: Predictor, connection: Shared | None, stack: AsyncExitStack) -> Cutting:
    """Return what works on images."""
    threads = Threads(settings.n_threads)
    stack.callback(threads.close)
    return Cutting(
        predictor=predictor,
        threads=threads,
        cache=MaskCache(settings.cache_bytes, _elsewhere(settings, connection)),
        megapixels=Budget(settings.max_megapixels_in_flight, "megapixels"),
        limits=limits(settings),
        catalogue=Catalogue(predictor.models),
    )


def steps(settings: Settings, records: Records, worker: Cutting) -> Steps:
    """Return what is done for jobs."""
    return Steps(records, worker, webhooks(settings), settings.job_attempts, settings.job_keep_s)


def webhooks(settings: Settings) -> Webhooks:
    """Return what announces the ends of jobs."""
    return Webhooks(Caller(Allowed(settings.webhook_hosts), settings.fetch_timeout_s), settings.webhook_secret)


def jobs(settings: Settings, worker: Cutting, stack: AsyncExitStack) -> Jobs:
    """Return the gateway's side of jobs: Celery's where there is a Redis, and all of it otherwise."""
    records: Records
    queue: Queue
    if settings.redis_url:
        from alphacut_gateway.jobs.celery_queue import CeleryQueue, application  # noqa: PLC0415  an extra
        from alphacut_gateway.jobs.redis_records import RedisRecords  # noqa: PLC0415
        from alphacut_gateway.jobs.reminder import Reminder  # noqa: PLC0415

        kept = RedisRecords(settings.redis_url, settings.job_keep_s)
        sent = CeleryQueue(application(settings.redis_url, settings.job_lease_s))
        stack.push_async_callback(kept.close)
        stack.push_async_callback(sent.close)
        stack.push_async_callback(Reminder(kept, sent, settings.job_lease_s).close)
        records, queue = kept, sent
    else:
        local = SqliteRecords(
            settings.jobs_file,
            keep_s=settings.job_keep_s,
            lease_s=settings.job_lease_s,
            max_bytes=settings.job_bytes,
        )
        embedded = EmbeddedQueue(local, steps(settings, local, worker), _EMBEDDED_WORKERS)
        stack.push_async_callback(embedded.close)
        records, queue = local, embedded
    return Jobs(records, queue, webhooks(settings))


def _elsewhere(settings: Settings, connection: Shared | None) -> Elsewhere | None:
    if connection is None:
        return None
    from alphacut_gateway.shared.masks import SharedMasks  # noqa: PLC0415  an extra

    lock_s = settings.timeout_s + settings.retry_for_s
    return SharedMasks(connection, settings.shared_masks_for_s, lock_s, asyncio.sleep)
